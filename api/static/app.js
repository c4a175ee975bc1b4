// The page: the question box, what is asked when, and the address that carries it.

import { openDocument } from "./reader.js";
import * as result from "./result.js";
import * as service from "./service.js";
import { choose, chosen, drawShelf, putAway, refresh } from "./shelf.js";
import { language, switchLanguage, t, translate } from "./text.js";

const form = document.getElementById("form");
const box = document.getElementById("question");
const by = document.getElementById("by");
const submit = document.getElementById("submit");
const stop = document.getElementById("stop");
const collection = document.getElementById("collection");

const kept = new Map(); // address -> what it led to, so that Back does not ask again
let running = null; // the AbortController of what is under way
let asking = ""; // the collection that the shown result is from
let shown = null; // draws the result once more, in another language

const mode = () => form.elements.mode.value;

// ---- the address -----------------------------------------------------------------------------

const LINKABLE = 2000; // characters of a question that the address still carries

function address(asked) {
  const query = new URLSearchParams();
  if (!asked.question || asked.question.length > LINKABLE) return location.pathname;
  query.set("q", asked.question);
  if (asked.mode === "search") query.set("mode", "search");
  if (asked.by && asked.mode === "search") query.set("by", asked.by);
  if (asked.collection) query.set("collection", asked.collection);
  return `?${query}`;
}

function fromAddress() {
  const query = new URLSearchParams(location.search);
  return {
    question: query.get("q") ?? "",
    mode: query.get("mode") === "search" ? "search" : "ask",
    by: query.get("by") ?? "",
    collection: query.get("collection") ?? "",
  };
}

const fromForm = () => ({
  question: box.value.trim(),
  mode: mode(),
  by: by.value,
  collection: collection.options.length > 1 ? chosen() : "",
});

// ---- the question box ------------------------------------------------------------------------

function fit() {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}

function drawForm() {
  const searching = mode() === "search";
  const words = t(searching ? "searchHint" : "questionHint");
  box.placeholder = words;
  submit.textContent = t(searching ? "search" : "ask");
  document.getElementById("by-label").hidden = !searching;
  fit();
}

function drawAll() {
  translate(document);
  document.getElementById("language").lang = language() === "ko" ? "en" : "ko";
  drawForm();
  drawShelf();
}

function busy(on) {
  form.classList.toggle("busy", on);
  stop.hidden = !on;
  submit.hidden = on;
}

// ---- asking ----------------------------------------------------------------------------------

async function answer(asked, signal) {
  let text = "";
  let waiting = 0;
  const body = { question: asked.question };
  if (asking) body.collection = asking;
  const draw = () => {
    waiting = 0;
    if (!signal.aborted) result.writing(text);
  };
  const on = {
    hits: result.found,
    step: result.stepped,
    delta(more) {
      text += more;
      waiting ||= requestAnimationFrame(draw);
    },
  };
  try {
    const found = await service.ask(body, on, signal);
    // What was read while it streamed may have been withdrawn; then the answer says so.
    return { ...found, replaced: text.trim() !== "" && text.trim() !== found.answer.trim() };
  } catch (error) {
    if (error.name === "AbortError" && running?.signal === signal) result.stopped(text);
    throw error;
  } finally {
    cancelAnimationFrame(waiting);
  }
}

function lookUp(asked, signal) {
  const body = { query: asked.question };
  if (asked.by) body.mode = asked.by;
  if (asking) body.collection = asking;
  return service.search(body, signal);
}

function draw(asked, found) {
  asking = asked.collection || chosen();
  shown = () => (asked.mode === "search" ? result.listed(found) : result.answered(found));
  shown();
}

async function run(asked) {
  running?.abort();
  const mine = (running = new AbortController());
  document.title = asked.question ? `${asked.question.slice(0, 80)} · Saem` : "Saem 샘";
  document.body.classList.toggle("asked", Boolean(asked.question));
  fit();
  shown = null;
  if (!asked.question) {
    running = null;
    busy(false);
    return result.clear();
  }
  putAway();
  busy(true);
  result.begin(asked.mode);
  const began = performance.now();
  const clock = setInterval(() => result.elapsed(Math.floor((performance.now() - began) / 1000)), 500);
  try {
    await ready;
    if (running !== mine) return;
    asking = asked.collection || chosen();
    const find = asked.mode === "search" ? lookUp : answer;
    const found = await find(asked, mine.signal);
    if (running !== mine) return;
    if (asked.question.length <= LINKABLE) kept.set(address(asked), found);
    draw(asked, found);
  } catch (error) {
    if (running !== mine) return;
    if (error.name === "AbortError") {
      if (asked.mode === "search") result.clear();
    } else {
      shown = () => result.failed(error, () => run(asked));
      shown();
    }
  } finally {
    clearInterval(clock);
    if (running === mine) {
      running = null;
      busy(false);
    }
  }
}

function submitted() {
  const asked = fromForm();
  if (!asked.question) return box.focus();
  const to = address(asked);
  if (to !== location.search) history.pushState(null, "", to);
  kept.delete(to);
  run(asked);
}

// Shows what the address says, from what is kept where there is something.
function follow() {
  const asked = fromAddress();
  box.value = asked.question;
  form.elements.mode.value = asked.mode;
  by.value = asked.by;
  if (asked.collection) choose(asked.collection);
  drawForm();
  const found = kept.get(address(asked));
  if (!found) return run(asked);
  running?.abort();
  running = null;
  busy(false);
  document.body.classList.add("asked");
  draw(asked, found);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  submitted();
});
form.addEventListener("change", (event) => {
  if (event.target.name !== "mode") return;
  drawForm();
  if (document.body.classList.contains("asked") && box.value.trim()) submitted();
});
by.addEventListener("change", () => document.body.classList.contains("asked") && submitted());
box.addEventListener("input", fit);
box.addEventListener("keydown", (event) => {
  // While a Hangul syllable is being composed, Enter belongs to the input method.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  submitted();
});
stop.addEventListener("click", () => {
  running?.abort();
  box.focus();
});
document.addEventListener("saem:open", ({ detail }) => openDocument(detail, asking));
document.getElementById("language").addEventListener("click", () => {
  switchLanguage();
  drawAll();
  shown?.();
});
document.getElementById("home").addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", location.pathname);
  follow();
  box.focus();
});
window.addEventListener("popstate", follow);
window.addEventListener("resize", fit);

drawAll();
const ready = refresh(); // what there is to ask; questions wait for it
follow();
