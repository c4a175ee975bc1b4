// Texts as DOM nodes: code point offsets, highlighted spans, an answer's paragraphs, lists and
// code. Data only ever becomes text nodes. Knows neither the service nor the page's words.

const ASTRAL = /[\ud800-\udbff]/;

// The service counts Unicode code points, JavaScript counts UTF-16 units: converts offsets.
export function unitsAt(text, points) {
  if (!ASTRAL.test(text)) return points.map((point) => Math.min(point, text.length));
  const order = points.map((_, index) => index).sort((a, b) => points[a] - points[b]);
  const units = new Array(points.length);
  let unit = 0;
  let point = 0;
  for (const index of order) {
    for (; point < points[index] && unit < text.length; point += 1) {
      unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
    }
    units[index] = unit;
  }
  return units;
}

// [[start, end], …] in code points to the same in UTF-16 units, in order, without overlaps.
export function unitSpans(text, spans) {
  const units = unitsAt(text, spans.flat());
  const sorted = spans.map((_, i) => [units[2 * i], units[2 * i + 1]]).sort((a, b) => a[0] - b[0]);
  const apart = [];
  for (const [start, end] of sorted) {
    const from = Math.max(start, apart.at(-1)?.[1] ?? 0);
    if (end > from) apart.push([from, end]);
  }
  return apart;
}

export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && !name.startsWith("aria-")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// `text[from:to]` with its spans (UTF-16, apart, in order) as <mark>.
export function marked(text, spans, from = 0, to = text.length, kind = "") {
  const nodes = document.createDocumentFragment();
  let at = from;
  for (const [start, end] of spans) {
    const [s, e] = [Math.max(start, from), Math.min(end, to)];
    if (s >= e) continue;
    if (s > at) nodes.append(text.slice(at, s));
    nodes.append(element("mark", { class: kind }, text.slice(s, e)));
    at = e;
  }
  if (at < to) nodes.append(text.slice(at, to));
  return nodes;
}

// Widens a span by about `room` characters each side, within its paragraph, to the spaces there.
function widened(text, [start, end], room) {
  const edge = start > 0 ? text.lastIndexOf("\n\n", start - 1) : -1;
  const next = text.indexOf("\n\n", end);
  let from = Math.max(0, edge < 0 ? 0 : edge + 2, start - room);
  let to = Math.min(text.length, next < 0 ? text.length : next, end + room);
  if (from > 0 && text[from - 1] !== "\n") from += text.slice(from, start).search(/\s|$/);
  if (to < text.length && text[to] !== "\n") to = end + Math.max(0, text.slice(end, to).search(/\s\S*$/));
  while (from < start && /\s/.test(text[from])) from += 1;
  return [Math.min(from, start), to];
}

// What to show of a long `text`: cuts [from, to] around its spans, in order, within a budget;
// nothing before `first`, where the text behind it has something to show.
export function cuts(text, all, room, budget = Infinity, first = 0) {
  if (text.length <= room * 4) return [[first, text.length]];
  const spans = all.filter(([start]) => start >= first);
  const kept = [];
  let size = 0;
  for (const span of spans.length ? spans : [[first, first]]) {
    const [edge, to] = widened(text, span, spans.length ? room : room * 3);
    const from = Math.max(first, edge);
    const last = kept.at(-1);
    const joined = last && from <= last[1] + 40;
    size += joined ? Math.max(0, to - last[1]) : to - from;
    if (last && size > budget) break;
    if (joined) last[1] = Math.max(last[1], to);
    else kept.push([from, to]);
  }
  return kept;
}

const FENCE = /^\s*(`{3,}|~{3,})/;

// Cuts a text into blocks [start, end, line, kind]: paragraphs, headings and fenced code, each
// with the blank lines after it. Blocks leave nothing out; none is longer than `longest`.
export function* paragraphs(text, longest = Infinity) {
  let [start, line, first] = [0, 1, 1];
  let [kind, fence] = ["", ""];
  let done = false; // the next line that is not blank begins a block
  for (let at = 0; at < text.length; line += 1) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline + 1;
    const head = text.slice(at, Math.min(end, at + 80));
    const empty = end - at < 80 && head.trim() === "";
    const opens = fence ? null : FENCE.exec(head)?.[1];
    const heading = !fence && /^#{1,6}\s/.test(head);
    if (at > start && (opens || heading || (done && !empty) || end - start > longest)) {
      yield [start, at, first, kind];
      [start, first, kind, done] = [at, line, fence ? "code" : "", false];
    }
    if (opens) [fence, kind] = [opens, "code"];
    else if (heading) [kind, done] = ["heading", true];
    else if (fence && head.trim().startsWith(fence)) [fence, done] = ["", true];
    else if (empty && !fence) done = true;
    while (end - start > longest) {
      let cut = text.lastIndexOf(" ", start + longest - 1) + 1;
      if (cut <= start + longest / 2) cut = start + longest;
      if (/[\udc00-\udfff]/.test(text[cut])) cut += 1;
      yield [start, cut, first, kind];
      [start, first] = [cut, line];
    }
    at = end;
  }
  if (start < text.length) yield [start, text.length, first, kind];
}

// Some of a text as blocks, its spans marked; what is left out between is shown by dots.
export function excerpt(text, spans, shown, kind) {
  const nodes = document.createDocumentFragment();
  const blocks = [...paragraphs(text)];
  shown.forEach(([from, to], index) => {
    if (index > 0) nodes.append(element("span", { class: "gap" }, "⋯"));
    for (const [start, end, , sort] of blocks) {
      const s = Math.max(start, from);
      let e = Math.min(end, to);
      while (e > s && /\s/.test(text[e - 1])) e -= 1;
      if (s >= e) continue;
      const block = element("span", { class: `part ${sort}` }, marked(text, spans, s, e, kind));
      if (s > start && index === 0) block.prepend("… ");
      if (e < end && index === shown.length - 1 && text.slice(e, end).trim()) block.append(" …");
      nodes.append(block);
    }
  });
  return nodes;
}

// ---- an answer -------------------------------------------------------------------------------

const ITEM = /^(\s*)([-*•+]|\d{1,3}[.)])\s+(.*)$/;
// Blocks of an answer: {kind: paragraph | heading | list | code, lines | items}.
export function blocksOf(text) {
  const blocks = [];
  let open = null;
  let fence = "";
  for (const line of text.replace(/\r\n?/g, "\n").split("\n")) {
    if (fence) {
      if (line.trim().startsWith(fence)) [fence, open] = ["", null];
      else open.lines.push(line);
      continue;
    }
    const item = ITEM.exec(line);
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    if (FENCE.test(line)) {
      fence = FENCE.exec(line)[1];
      blocks.push((open = { kind: "code", lines: [] }));
    } else if (line.trim() === "") {
      if (open?.kind !== "list") open = null;
      else open.loose = true;
    } else if (heading) {
      blocks.push({ kind: "heading", lines: [heading[1]] });
      open = null;
    } else if (item) {
      const ordered = /\d/.test(item[2]);
      const depth = open?.kind === "list" && item[1].length >= 2 ? 1 : 0;
      if (open?.kind !== "list" || (depth === 0 && open.ordered !== ordered)) {
        const start = ordered ? Number.parseInt(item[2], 10) : 1;
        blocks.push((open = { kind: "list", ordered, start, items: [] }));
      }
      open.items.push({ depth, lines: [item[3]] });
      open.loose = false;
    } else if (open?.kind === "list" && (!open.loose || /^\s{2,}/.test(line))) {
      open.items.at(-1).lines.push(line.trim());
    } else {
      if (open?.kind !== "paragraph") blocks.push((open = { kind: "paragraph", lines: [] }));
      open.lines.push(line);
    }
  }
  return blocks;
}

const CODE = /(`+)(?!`)(.+?)(?<!`)\1(?!`)/;
const STRONG = /\*\*(?=\S)(.+?)\*\*/;
const STRESSED = /(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])/;
const MARKER = /\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/;
const LINK = /!?\[([^[\]\n]*[^[\]\d\s,][^[\]\n]*)\]\(([^()\s]*)\)/;
const KINDS = [CODE, STRONG, STRESSED, MARKER, LINK];
const INLINE = new RegExp(KINDS.map(({ source }) => source).join("|"), "gs");

// A marker keeps to the word before it and the punctuation after it, on one line.
export function cite(nodes, marks) {
  let group = nodes.lastChild;
  if (group?.className !== "cited") {
    group = element("span", { class: "cited" });
    const before = nodes.lastChild;
    if (before?.nodeType === Node.TEXT_NODE) {
      const word = /\S{0,14} ?$/.exec(before.data)[0];
      before.data = before.data.slice(0, before.data.length - word.length);
      group.append(word);
    }
    nodes.append(group);
  }
  group.append(...marks);
}

function inline(text, marker) {
  const nodes = document.createDocumentFragment();
  let at = 0;
  const plain = (to) => {
    let words = text.slice(at, to);
    if (nodes.lastChild?.className === "cited") {
      const stop = /^[.,;:!?)\]}"'’”」』。、…]+/.exec(words)?.[0] ?? "";
      nodes.lastChild.append(stop);
      words = words.slice(stop.length);
    }
    if (words) nodes.append(words);
  };
  for (const match of text.matchAll(INLINE)) {
    plain(match.index);
    const [whole, , code, strong, stressed, numbers, label, target] = match;
    if (code !== undefined) nodes.append(element("code", {}, code.trim()));
    else if (strong !== undefined) nodes.append(element("strong", {}, inline(strong, marker)));
    else if (stressed !== undefined) nodes.append(element("em", {}, inline(stressed, marker)));
    else if (numbers !== undefined) cite(nodes, numbers.split(",").map((n) => marker(Number(n))));
    else nodes.append(inline(label, marker), /^https?:/i.test(target) ? ` (${target})` : "");
    at = match.index + whole.length;
  }
  plain(text.length);
  return nodes;
}

// A sentence of the service with its `code`, nothing more.
export const sentence = (text) => inline(text, (n) => `[${n}]`);

function list(block, marker) {
  const outer = element(block.ordered ? "ol" : "ul", block.ordered ? { start: block.start } : {});
  for (const { depth, lines } of block.items) {
    const item = element("li", {}, inline(lines.join("\n"), marker));
    const last = outer.lastElementChild;
    if (depth === 0 || !last) outer.append(item);
    else if (last.lastElementChild?.tagName === "UL") last.lastElementChild.append(item);
    else last.append(element("ul", {}, item));
  }
  return outer;
}

function rendered(block, marker) {
  if (block.kind === "code") {
    return element("pre", { tabIndex: 0 }, element("code", {}, block.lines.join("\n")));
  }
  if (block.kind === "list") return list(block, marker);
  const tag = block.kind === "heading" ? "h3" : "p";
  return element(tag, {}, inline(block.lines.join("\n"), marker));
}

const drawn = new WeakMap(); // element -> the block it shows

// Draws `text` into `container`. Blocks that have not changed keep their nodes, so a growing
// answer neither flickers nor loses what is selected in it. `marker(n)` makes the node for [n].
export function drawAnswer(container, text, marker, { fresh = false } = {}) {
  const blocks = blocksOf(text);
  if (fresh) container.replaceChildren();
  blocks.forEach((block, index) => {
    const key = JSON.stringify(block);
    const old = container.children[index];
    if (old && drawn.get(old) === key) return;
    const node = rendered(block, marker);
    drawn.set(node, key);
    if (old) old.replaceWith(node);
    else container.append(node);
  });
  while (container.children.length > blocks.length) container.lastElementChild.remove();
}
