// The service's routes, its errors and its event stream. Knows no page.

import { t } from "./text.js";

export class Failure extends Error {
  constructor(message, remedy = "", type = "") {
    super(message);
    this.remedy = remedy;
    this.type = type;
  }
}

function failureFrom(body, status) {
  const error = body?.error;
  if (error?.message) {
    const remedy = error.remedy ?? "";
    const message = error.message.charAt(0).toUpperCase() + error.message.slice(1);
    return new Failure(message, error.message.includes(remedy) ? "" : remedy, error.type);
  }
  return new Failure(t("badReply", { status: String(status) }));
}

async function send(path, options = {}) {
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(t("unreachable"), t("unreachableHelp"), "unreachable");
  }
  if (!response.ok) {
    throw failureFrom(await response.json().catch(() => null), response.status);
  }
  return response;
}

function posted(body, accept, signal) {
  const headers = { "Content-Type": "application/json", Accept: accept };
  return { method: "POST", headers, body: JSON.stringify(body), signal };
}

async function parsed(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw failureFrom(null, response.status);
  }
}

const json = async (path, options) => parsed(await send(path, options));

// What votes on a result are sent under; `logged` is null where the service keeps no query log.
const named = (response, { collection }) => ({ logged: response.headers.get("X-Saem-Query"), collection });

export const collections = async () => (await json("collections", { cache: "no-store" })).collections;

export async function search(body, signal) {
  const response = await send("search", posted(body, "application/json", signal));
  return { ...(await parsed(response)), ...named(response, body) };
}

// Whether the answer (`hit` is null) or a hit of a result helped: 1, -1, or 0 for neither.
export const vote = ({ logged, collection }, vote, hit) =>
  send("votes", posted({ id: logged, vote, hit, collection }, "application/json"));

export function documentText(id, collection, signal) {
  const query = collection ? `?${new URLSearchParams({ collection })}` : "";
  return json(`documents/${encodeURIComponent(id)}${query}`, { signal });
}

export function upload(files, collection) {
  const form = new FormData();
  if (collection) form.append("collection", collection);
  for (const { file, path } of files) form.append("files", file, path);
  return json("documents", { method: "POST", body: form });
}

// Server-sent events of a response: yields {event, data}, data still a string.
export async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  let event = "message";
  let data = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      buffer += done ? "\n" : value;
      // A carriage return at the very end may be half of a line break: leave it for the next read.
      const whole = buffer.endsWith("\r") && !done ? buffer.slice(0, -1) : buffer;
      const lines = whole.split(/\r\n|\n|\r/);
      buffer = lines.pop() + buffer.slice(whole.length);
      for (const line of lines) {
        if (line === "") {
          if (data.length) yield { event, data: data.join("\n") };
          event = "message";
          data = [];
          continue;
        }
        const colon = line.indexOf(":");
        if (colon === 0) continue; // a comment keeps the connection alive
        const field = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (field === "event") event = value;
        if (field === "data") data.push(value);
      }
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// Asks, calling `on.hits`, `on.step` and `on.delta` while the answer is written; returns the final answer.
export async function ask(body, on, signal) {
  const response = await send("ask", posted(body, "text/event-stream", signal));
  if ((response.headers.get("Content-Type") ?? "").includes("application/json")) {
    return { ...(await response.json()), ...named(response, body) };
  }
  try {
    for await (const { event, data } of events(response.body)) {
      if (event === "error") throw failureFrom(JSON.parse(data), 200);
      if (event === "answer") return { ...JSON.parse(data), ...named(response, body) };
      if (event === "hits") on.hits(JSON.parse(data).hits);
      if (event === "step") on.step(JSON.parse(data).text);
      if (event === "delta") on.delta(JSON.parse(data).text);
    }
  } catch (error) {
    if (error.name === "AbortError" || error instanceof Failure) throw error;
  }
  throw new Failure(t("cutOff"), t("cutOffHelp"), "cut_off");
}
