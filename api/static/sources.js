// The passages that an answer stands on: a card for each, and the small note that a citation's
// marker opens. Asks the page to open documents through the `saem:open` event.

import { cuts, element, excerpt, unitSpans } from "./prose.js";
import { at, count, t, writtenIn } from "./text.js";

// Citations by their number: n -> {n, hit, citations}. The hit is the passage that holds them.
export function byNumber({ citations, hits }) {
  const sources = new Map();
  for (const citation of citations) {
    const { n, document, start, end } = citation;
    const holds = (hit) => hit.document === document && hit.start <= start && end <= hit.end;
    if (!sources.has(n)) sources.set(n, { n, hit: hits.find(holds), citations: [] });
    sources.get(n).citations.push(citation);
  }
  return new Map([...sources].sort(([a], [b]) => a - b));
}

// The passage's text and the spans of the quotes in it; the quotes alone where no passage holds them.
function quoted(hit, citations) {
  if (hit) {
    const inside = citations.map(({ start, end }) => [start - hit.start, end - hit.start]);
    return { text: hit.text, spans: unitSpans(hit.text, inside) };
  }
  const text = citations.map(({ quote }) => quote).join(" … ");
  return { text, spans: [[0, text.length]] };
}

// "folder/" in a quiet voice, the file's name and page or line in a clear one.
function place({ path, page, line }) {
  const cut = path.lastIndexOf("/") + 1;
  const name = path.slice(cut) + at({ page, line });
  return element("span", { class: "place" }, element("span", {}, path.slice(0, cut)), name);
}

function opener(path, target) {
  const open = (event) => {
    event.currentTarget.dispatchEvent(new CustomEvent("saem:open", { bubbles: true, detail: target }));
  };
  const label = t("openAt", { path });
  return element("button", { type: "button", class: "quiet", onclick: open, "aria-label": label }, t("open"));
}

// The passage, cut to what matters around its spans, with a button for the rest of it.
function passage(text, spans, kind, room, budget, first = 0) {
  const whole = [[0, text.length]];
  const some = cuts(text, spans, room, budget, first);
  const body = element("div", { class: "passage", lang: writtenIn(text) }, excerpt(text, spans, some, kind));
  if (some.length === 1 && some[0][0] <= first && some[0][1] === text.length) return { body, more: null };
  const more = element("button", { type: "button", class: "quiet", "aria-expanded": "false" }, t("whole"));
  more.addEventListener("click", () => {
    const all = more.getAttribute("aria-expanded") === "false";
    more.setAttribute("aria-expanded", String(all));
    more.textContent = t(all ? "less" : "whole");
    body.replaceChildren(excerpt(text, spans, all ? whole : some, kind));
  });
  return { body, more };
}

// Where a passage goes on behind its own headings, which the card shows already.
function behindHeadings({ text, title, heading }) {
  const said = [title, ...(heading ?? [])].filter(Boolean);
  const line = /#{1,6}[ \t]+(.*)\n\s*(?=\S)/y;
  for (;;) {
    const at = line.lastIndex;
    const words = line.exec(text)?.[1];
    if (words === undefined || !said.some((part) => words.startsWith(part))) return at;
  }
}

// The same, unless a quote of the passage begins before.
const firstOf = (hit, spans) => (hit ? Math.min(behindHeadings(hit), ...spans.map(([start]) => start)) : 0);

function heading(hit, citation) {
  const title = hit?.title || citation?.path || hit?.path;
  const parts = [...new Set(hit?.heading ?? [])].filter((part) => part && part !== title);
  return element(
    "div",
    { class: "card-head" },
    element("h3", { lang: writtenIn(title) }, title),
    parts.length ? element("p", { class: "crumbs", lang: writtenIn(parts[0]) }, parts.join(" › ")) : null,
  );
}

function scores(hit) {
  const legs = Object.entries(hit.scores ?? {}).map(([leg, score]) => `${leg} ${score.toFixed(2)}`);
  const said = legs.length > 1 ? [`${hit.score.toFixed(3)}`, ...legs] : legs;
  return element("span", { class: "scores" }, (said.length ? said : [hit.score.toFixed(3)]).join(" · "));
}

function card(number, head, { body, more }, foot) {
  const tools = element("span", { class: "tools" }, more, foot.open, foot.votes);
  const bottom = element("div", { class: "card-foot" }, foot.place, foot.scores, tools);
  const badge = element("span", { class: "number", "aria-hidden": "true" }, number);
  return element("li", { class: "card" }, badge, element("div", { class: "card-body" }, head, body, bottom));
}

// A cited source, its quotes highlighted.
export function sourceCard({ n, hit, citations }, votes) {
  const { text, spans } = quoted(hit, citations);
  const [cited] = citations;
  const node = card(String(n), heading(hit, cited), passage(text, spans, "quote", 140, Infinity, firstOf(hit, spans)), {
    place: place(cited),
    open: opener(cited.path, cited),
    votes,
  });
  node.dataset.n = n;
  node.id = `source-${n}`;
  return node;
}

// A retrieved passage, the question's words highlighted.
export function hitCard(hit, { scored = false, brief = false, votes = null } = {}) {
  const spans = unitSpans(hit.text, hit.matches ?? []);
  return card(scored ? count(hit.rank) : "", heading(hit), passage(hit.text, spans, "term", brief ? 50 : 110, brief ? 200 : 480, behindHeadings(hit)), {
    place: place({ path: hit.path }),
    scores: scored ? scores(hit) : null,
    open: opener(hit.path, { ...hit, quote: hit.text }),
    votes,
  });
}

// ---- the note that a marker opens ------------------------------------------------------------

const note = element("div", { id: "note", class: "note", role: "dialog", hidden: true });
let holder = null; // the marker whose note is open
let pinned = false;
let leaving = 0;
let returning = false; // focus goes back to the marker, which is no wish to see the note again

function put() {
  const at = holder.getBoundingClientRect();
  const width = note.offsetWidth;
  const height = note.offsetHeight;
  const room = document.documentElement.clientWidth;
  const column = holder.closest(".answer").getBoundingClientRect(); // the sources beside it stay in sight
  const left = Math.max(12, Math.min(Math.max(column.left, Math.min(at.left - 28, column.right - width)), room - width - 12));
  const above = at.bottom + height + 16 > window.innerHeight && at.top > height + 16;
  note.style.left = `${left + window.scrollX}px`;
  note.style.top = `${(above ? at.top - height - 10 : at.bottom + 10) + window.scrollY}px`;
}

export function hideNote() {
  clearTimeout(leaving);
  if (!holder) return;
  holder.setAttribute("aria-expanded", "false");
  holder.removeAttribute("aria-describedby");
  document.querySelector(".card.lit")?.classList.remove("lit");
  note.hidden = true;
  holder = null;
  pinned = false;
}

function showNote(marker, source, citations) {
  clearTimeout(leaving);
  if (holder === marker) return;
  hideNote();
  holder = marker;
  const parts = citations.map((citation, index) => {
    const { text, spans } = quoted(source.hit, [citation]);
    const some = excerpt(text, spans, cuts(text, spans, 60, Infinity, firstOf(source.hit, spans)), "quote");
    const body = element("div", { class: "passage", lang: writtenIn(text) }, some);
    if (index === 0) body.id = "note-text";
    const foot = element("div", { class: "card-foot" }, place(citation), opener(citation.path, citation));
    return element("div", {}, body, foot);
  });
  note.replaceChildren(...parts);
  note.setAttribute("aria-label", t("quote"));
  note.hidden = false;
  marker.setAttribute("aria-expanded", "true");
  marker.setAttribute("aria-describedby", "note-text");
  document.getElementById(`source-${source.n}`)?.classList.add("lit");
  put();
}

function leave() {
  clearTimeout(leaving);
  if (!pinned) leaving = setTimeout(hideNote, 220);
}

// The button for one [n]: hover or focus shows its quote, pressing it keeps the note open.
export function markerFor(source, citations) {
  const [first] = citations;
  const marker = element("button", { type: "button", class: "marker" }, String(source.n));
  marker.dataset.n = source.n;
  const { n } = source;
  const { path, page, line } = first;
  marker.setAttribute("aria-label", t(page ? "sourcePage" : "source", { n, path, at: page || line }));
  marker.setAttribute("aria-expanded", "false");
  const show = () => showNote(marker, source, citations);
  marker.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && !pinned && show());
  marker.addEventListener("pointerleave", leave);
  marker.addEventListener("focus", () => !returning && marker.matches(":focus-visible") && show());
  marker.addEventListener("blur", ({ relatedTarget: to }) => {
    if (note.contains(to)) return;
    if (pinned && to && !to.closest("dialog")) hideNote();
    else leave();
  });
  marker.addEventListener("click", (event) => {
    if (holder === marker && pinned) return hideNote();
    show();
    pinned = true;
    if (event.detail === 0) note.querySelector("button").focus(); // pressed by a key
  });
  return marker;
}

note.addEventListener("pointerenter", () => clearTimeout(leaving));
note.addEventListener("pointerleave", leave);
note.addEventListener("focusout", (event) => {
  const to = event.relatedTarget; // into the document's panel and back leaves the note open
  if (to && !note.contains(to) && !to.closest("dialog")) hideNote();
});
note.addEventListener("keydown", (event) => {
  const last = [...note.querySelectorAll("button")].at(event.shiftKey ? 0 : -1);
  if (event.key !== "Tab" || document.activeElement !== last) return;
  if (event.shiftKey) event.preventDefault();
  holder.focus(); // so that Tab goes on from the marker
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !holder || document.querySelector("dialog[open]")) return;
  const marker = holder;
  const inside = note.contains(document.activeElement);
  hideNote();
  returning = true;
  if (inside) marker.focus({ preventScroll: true });
  returning = false;
});
document.addEventListener("pointerdown", (event) => {
  if (!holder || event.target.closest("dialog")) return;
  if (!note.contains(event.target) && !holder.contains(event.target)) hideNote();
});
window.addEventListener("resize", () => holder && put());
document.body.append(note);
