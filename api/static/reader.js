// The panel that shows a document, scrolled to the cited characters. Long documents are drawn in
// sections that the browser lays out only when they come into view (CSS `content-visibility`).

import { element, marked, paragraphs, sentence, unitsAt } from "./prose.js";
import * as service from "./service.js";
import { at, t, writtenIn } from "./text.js";

const SECTION = 12_000; // UTF-16 units: small enough to lay out at once, large enough to be few
const LONGEST = 4_000; // of one block, for texts without line breaks

const panel = document.getElementById("reader");
const body = document.getElementById("reader-text");
const title = document.getElementById("reader-title");
const where = document.getElementById("reader-place");
const said = document.getElementById("reader-note");
const back = document.getElementById("reader-back");
let loading = null;

// Where the quote stands in this text, and what to say when the document is not the one cited.
export function locate(text, { start, end, quote, version }, now) {
  const [from, to] = unitsAt(text, [start, end]);
  if (!quote || text.slice(from, to) === quote) return { span: [from, to], note: "" };
  const again = text.indexOf(quote);
  if (again >= 0) return { span: [again, again + quote.length], note: "moved" };
  if (version && now && version !== now) return { span: null, note: "gone" };
  return { span: [from, to], note: "changed" };
}

function draw(text, span, mark) {
  const spans = span ? [span] : [];
  const all = document.createDocumentFragment();
  let section = null;
  let [size, rows] = [0, 0];
  const finish = () => {
    if (section) section.style.containIntrinsicSize = `auto ${Math.ceil(rows * 1.75)}em`;
  };
  for (const [start, end, line, kind] of paragraphs(text, LONGEST)) {
    if (!section || size > SECTION) {
      finish();
      section = element("div", { class: "section" });
      all.append(section);
      [size, rows] = [0, 0];
    }
    const block = element("div", { class: `block ${kind}` }, marked(text, spans, start, end, mark));
    block.dataset.line = line;
    section.append(block);
    size += end - start;
    rows += 1 + (end - start) / 60;
  }
  finish();
  body.replaceChildren(all);
  body.lang = writtenIn(text);
}

function toQuote() {
  const mark = body.querySelector("mark");
  if (!mark) return;
  mark.tabIndex = -1;
  const centre = () => mark.scrollIntoView({ block: "center" });
  centre();
  // Sections above the mark are estimates until they were laid out once.
  requestAnimationFrame(() => requestAnimationFrame(centre));
  mark.focus({ preventScroll: true });
}

function say(message, kind = "") {
  said.replaceChildren(sentence(message));
  said.className = `reader-note ${kind}`;
  said.hidden = !message;
}

const lineAt = (text, offset) => text.slice(0, offset).split("\n").length;

// Opens the document of a citation or passage: {document, path, start, end, quote, version}.
export async function openDocument(target, collection) {
  loading?.abort();
  const mine = (loading = new AbortController());
  title.textContent = target.title ?? target.path;
  where.textContent = target.path + at(target);
  back.hidden = true;
  body.replaceChildren();
  say(t("loading"));
  if (!panel.open) panel.showModal();
  try {
    const found = await service.documentText(target.document, collection, mine.signal);
    const { span, note } = locate(found.text, target, found.version);
    title.textContent = found.title || found.path;
    title.lang = writtenIn(title.textContent);
    const line = span && !target.page ? lineAt(found.text, span[0]) : 0;
    where.textContent = found.path + at({ page: span && target.page, line });
    draw(found.text, span, target.n ? "quote" : "whole"); // a citation, or all of a passage
    say(note ? t(note) : "");
    back.hidden = !span;
    if (span) toQuote();
    else body.focus();
  } catch (error) {
    if (error.name === "AbortError") return;
    say([error.message, error.remedy].filter(Boolean).join(" "), "bad");
  }
}

back.addEventListener("click", toQuote);
document.getElementById("reader-close").addEventListener("click", () => panel.close());
panel.addEventListener("close", () => {
  if (panel.open) return; // already opened again
  loading?.abort();
  body.replaceChildren();
});
// A press on the shade beside the panel closes it.
panel.addEventListener("pointerdown", (event) => event.target === panel && panel.close());
