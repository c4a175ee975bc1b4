// The collections: which one is asked, how it stands, and files that are added to it.

import { element, sentence } from "./prose.js";
import * as service from "./service.js";
import { t } from "./text.js";

const choice = document.getElementById("collection");
const choiceLabel = document.getElementById("collection-label");
const line = document.getElementById("status");
const empty = document.getElementById("empty");
const added = document.getElementById("added");
const drop = document.getElementById("drop");
const picker = document.getElementById("files");

let known = [];
let trouble = null;
let again = 0;

// The collection that is asked when nothing else is said; none while there is none.
export const chosen = () => choice.value || known[0]?.name;

// Vectors are on their way; a collection without an encoder has none to wait for.
const coming = ({ outstanding, encoder }) => outstanding > 0 && Boolean(encoder);

export function choose(name) {
  if (known.some((collection) => collection.name === name)) choice.value = name;
  else choice.dataset.wanted = name ?? "";
  drawShelf();
}

export function drawShelf() {
  const names = known.map(({ name }) => name);
  if (names.join("\n") !== [...choice.options].map(({ value }) => value).join("\n")) {
    const wanted = choice.dataset.wanted || choice.value || "default";
    choice.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
    if (names.includes(wanted)) choice.value = wanted;
  }
  choiceLabel.hidden = names.length < 2;
  const collection = known.find(({ name }) => name === chosen());
  const parts = [];
  if (collection) {
    parts.push(t("documents", { n: collection.documents }), t("passages", { n: collection.passages }));
    if (coming(collection)) parts.push(t("outstanding", { n: collection.outstanding }));
  }
  const words = trouble ? trouble.message : parts.join(" · ");
  if (line.textContent !== words) line.textContent = words;
  line.classList.toggle("working", Boolean(collection) && coming(collection));
  empty.hidden = Boolean(trouble) || known.some(({ documents }) => documents > 0);
}

export async function refresh() {
  clearTimeout(again);
  try {
    known = await service.collections();
    trouble = null;
  } catch (error) {
    trouble = error;
  }
  drawShelf();
  const moving = known.some(({ outstanding }) => outstanding > 0);
  const wait = known.some(coming) ? 3_000 : trouble || moving ? 10_000 : 60_000;
  again = setTimeout(() => !document.hidden && refresh(), wait);
}

document.addEventListener("visibilitychange", () => !document.hidden && refresh());
choice.addEventListener("change", () => {
  choice.dataset.wanted = "";
  drawShelf();
});

// ---- adding files ----------------------------------------------------------------------------

const BATCH_FILES = 20;
const BATCH_BYTES = 16 << 20;

function* batches(files) {
  let batch = [];
  let bytes = 0;
  for (const entry of files) {
    if (batch.length && (batch.length >= BATCH_FILES || bytes + entry.file.size > BATCH_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(entry);
    bytes += entry.file.size;
  }
  if (batch.length) yield batch;
}

function row(path, good, words) {
  const state = element("span", { class: "state" }, good ? t("added") : t("notAdded"));
  return element("li", { class: good ? "good" : "bad" }, state, element("span", { class: "place" }, path), element("span", {}, sentence(words)));
}

// Puts the list of added files away, unless some are still on their way.
export function putAway() {
  if (!added.hasAttribute("aria-busy")) added.hidden = true;
}

export async function addFiles(files) {
  const heading = element("h2");
  const rows = element("ul");
  const close = element("button", { type: "button", class: "quiet", onclick: () => (added.hidden = true) }, t("close"));
  added.replaceChildren(element("div", { class: "added-head" }, heading, close), rows);
  added.hidden = false;
  const total = files.length;
  let [done, failed, begun] = [0, 0, 0];
  if (!total) heading.textContent = t("noFiles");
  for (const batch of batches(files)) {
    heading.textContent = t("uploading", { n: total, i: begun + 1 });
    added.setAttribute("aria-busy", "true");
    begun += batch.length;
    try {
      const answer = await service.upload(batch, chosen());
      for (const { path, passages } of answer.documents) rows.append(row(path, true, t("passages", { n: passages })));
      for (const { path, error } of answer.failed) rows.prepend(row(path, false, error?.message ?? String(error)));
      done += answer.documents.length;
      failed += answer.failed.length;
    } catch (error) {
      const why = [error.message, error.remedy].filter(Boolean).join(" ");
      rows.prepend(...batch.map(({ path }) => row(path, false, why)));
      failed += batch.length;
    }
    refresh();
  }
  added.removeAttribute("aria-busy");
  if (!total) return;
  const words = [t(done ? "uploaded" : "uploadedNone", { n: done })];
  if (failed) words.push(t("failed", { n: failed }));
  heading.textContent = words.join(", ");
}

// The files of a dropped folder, with their paths in it.
async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    for (const child of some) if (!child.name.startsWith(".")) found.push(...(await walk(child)));
  }
}

async function dropped(transfer) {
  // Entries must be taken before anything is awaited: the transfer empties itself.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, path: file.name }));
  return (await Promise.all(entries.map(walk))).flat();
}

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

window.addEventListener("dragenter", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  const name = known.length > 1 ? chosen() : "";
  drop.firstElementChild.textContent = name ? t("drop", { name }) : t("dropPlain");
  drop.hidden = false;
});
window.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
window.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.hidden = true;
});
window.addEventListener("drop", async (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  drop.hidden = true;
  addFiles(await dropped(event.dataTransfer).catch(() => []));
});
document.getElementById("add").addEventListener("click", () => picker.click());
picker.addEventListener("change", () => {
  const files = [...picker.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  picker.value = "";
  if (files.length) addFiles(files);
});
