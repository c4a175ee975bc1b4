// What came of a question: an answer with its sources, passages, or an error. Draws a state and
// knows nothing of how it came to be.

import { cite, drawAnswer, element, sentence } from "./prose.js";
import { byNumber, hideNote, hitCard, markerFor, sourceCard } from "./sources.js";
import { t, writtenIn } from "./text.js";
import { thumbs } from "./votes.js";

const result = document.getElementById("result");
const announce = document.getElementById("announce");

const parts = {}; // the nodes of the answer being written

export function say(words) {
  announce.textContent = words;
}

const cards = (nodes) => element("ol", { class: "cards" }, ...nodes);

// The service writes clauses: "quoting the documents: …".
const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1).replace(/[^.!?…。]$/, "$&.");

function notes(warnings, lead = "") {
  if (!warnings?.length && !lead) return null;
  const rows = (warnings ?? []).map((words) => element("li", { lang: writtenIn(words) }, sentence(capital(words))));
  const head = lead ? element("p", { class: "lead" }, lead) : null;
  return element("aside", { class: "notes", "aria-label": t("warnings") }, head, element("ul", {}, ...rows));
}

function show(kind, ...nodes) {
  hideNote();
  result.className = `result ${kind}`;
  result.replaceChildren(...nodes.filter(Boolean));
  result.hidden = false;
}

export function clear() {
  hideNote();
  result.hidden = true;
  result.replaceChildren();
  say("");
}

// ---- while it is written ---------------------------------------------------------------------

const unchecked = (n) => element("span", { class: "marker waiting" }, String(n));

export function begin(mode) {
  parts.phase = element("p", { class: "phase" });
  parts.time = element("span", { class: "time" });
  parts.step = element("p", { class: "step" });
  parts.text = element("div", { class: "prose", "aria-live": "polite", "aria-busy": "true" });
  parts.heading = element("h2", {}, t(mode === "ask" ? "answer" : "results"));
  parts.side = element("section", { class: "sources" });
  parts.main = element("section", { class: "answer" }, parts.heading, parts.text, element("div", { class: "waiting-line" }, parts.phase, parts.time, parts.step));
  show("busy", parts.main, parts.side);
  phase(t("searching"));
}

export function phase(words) {
  if (parts.phase.textContent === words) return;
  parts.phase.textContent = words;
  say(words);
}

export function elapsed(seconds) {
  parts.time.textContent = seconds >= 2 ? t("seconds", { n: seconds }) : "";
}

export function found(hits) {
  phase(t("reading", { n: hits.length }));
  parts.side.replaceChildren(element("h2", {}, t("found")), cards(hits.map((hit) => hitCard(hit, { brief: true }))));
}

// What a prompt program is about, the latest step alone.
export function stepped(text) {
  phase(t("thinking"));
  parts.step.lang = writtenIn(text);
  parts.step.textContent = text;
}

export function writing(text) {
  parts.step.textContent = "";
  phase(t("writing"));
  parts.text.lang = writtenIn(text);
  drawAnswer(parts.text, text, unchecked);
}

export function stopped(text) {
  if (!text) return clear();
  result.classList.replace("busy", "stopped");
  parts.text.removeAttribute("aria-busy");
  parts.main.lastElementChild.replaceWith(element("p", { class: "notes" }, t("stopped")));
  say(t("stopped"));
}

// ---- when it is there ------------------------------------------------------------------------

// Every [n] as a button: the k-th [n] shows the k-th citation of that number when there are as
// many, all of them otherwise. A number that nothing is cited for stays text.
function markers(answer, sources) {
  const seen = new Map();
  const written = new Map();
  drawAnswer(element("div"), answer, (n) => {
    written.set(n, (written.get(n) ?? 0) + 1);
    return "";
  });
  return (n) => {
    const source = sources.get(n);
    if (!source) return `[${n}]`;
    const k = seen.get(n) ?? 0;
    seen.set(n, k + 1);
    const paired = written.get(n) === source.citations.length;
    return markerFor(source, paired ? [source.citations[k]] : source.citations);
  };
}

const quotation = ({ quote, n }) => `${quote.trim().split(/\s+/).join(" ")} [${n}]`;

// Whether an answer consists of the documents' own sentences and nothing else.
function isQuoted({ answer, citations }) {
  return citations.length > 0 && answer === citations.map(quotation).join(" ");
}

// Those sentences, each on its own with the one marker that belongs to it.
function drawQuotes(container, { citations }, sources) {
  for (const citation of citations) {
    const words = sentence(`${citation.quote.trim().split(/\s+/).join(" ")} `);
    cite(words, [markerFor(sources.get(citation.n), [citation])]);
    container.append(element("blockquote", { lang: writtenIn(citation.quote) }, words));
  }
}

// What a prompt program did on the way to the answer.
function path(steps) {
  const rows = steps.map(({ text }) => element("li", { lang: writtenIn(text) }, text));
  return element("details", { class: "steps" }, element("summary", {}, t("steps", { n: steps.length })), element("ol", {}, ...rows));
}

export function answered(found) {
  const sources = byNumber(found);
  const quoted = isQuoted(found);
  const kind = quoted ? "prose quotes" : "prose";
  const text = element("div", { class: kind, "aria-live": "polite", lang: writtenIn(found.answer) });
  const heading = element("h2", {}, t(found.abstained ? "abstained" : quoted ? "ownWords" : "answer"));
  const said = notes(found.warnings, found.replaced ? t("replaced") : "");
  const main = element("section", { class: "answer" }, heading, text);
  if (said) found.replaced ? text.before(said) : text.after(said); // what explains a change comes first
  if (found.steps?.length) main.append(path(found.steps));
  if (found.logged) main.append(thumbs(found));
  const votes = (hit) => thumbs(found, found.hits.indexOf(hit));
  const cited = new Set([...sources.values()].map(({ hit }) => hit));
  const others = found.hits.filter((hit) => !cited.has(hit));
  const side = element("section", { class: "sources" });
  if (sources.size) {
    side.append(element("h2", {}, t("sources")), cards([...sources.values()].map((source) => sourceCard(source, votes(source.hit)))));
  }
  if (others.length) {
    const rest = cards(others.map((hit) => hitCard(hit, { brief: true, votes: votes(hit) })));
    const summary = sources.size ? t("alsoRead", { n: others.length }) : t("abstainedNear");
    side.append(element("details", {}, element("summary", {}, summary), rest));
  }
  show(found.abstained ? "abstained" : "answered", main, side.children.length ? side : null);
  if (quoted) drawQuotes(text, found, sources);
  else drawAnswer(text, found.answer, markers(found.answer, sources), { fresh: true });
  const ready = t(found.abstained ? "readyAbstained" : "ready", { n: sources.size });
  say(found.replaced ? `${t("replaced")} ${ready}` : ready);
}

export function listed(found) {
  const words = found.hits.length
    ? t("foundIn", { n: found.hits.length, ms: Math.max(1, Math.round(found.took_ms)) })
    : t("nothing");
  const list = cards(found.hits.map((hit, index) => hitCard(hit, { scored: true, votes: thumbs(found, index) })));
  const heading = element("h2", {}, words);
  show("listed", element("section", { class: "sources" }, heading, notes(found.warnings), found.hits.length ? list : null));
  say(words);
}

export function failed(error, again) {
  const retry = element("button", { type: "button", class: "quiet", onclick: again }, t("retry"));
  const box = element(
    "section",
    { class: "failure", role: "alert" },
    element("h2", {}, t("error")),
    element("p", {}, sentence(error.message)),
    error.remedy ? element("p", { class: "remedy" }, sentence(error.remedy)) : null,
    retry,
  );
  show("failed", box);
  say("");
}

// A source and its markers light up together.
result.addEventListener("pointerover", (event) => {
  const n = event.target.closest(".card[data-n]")?.dataset.n;
  for (const marker of result.querySelectorAll("button.marker")) {
    marker.classList.toggle("lit", marker.dataset.n === n);
  }
});
