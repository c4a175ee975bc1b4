// Thumbs: whether an answer, or a passage of it, helped. Where the service keeps no query log,
// results have no name and there are none.

import { element } from "./prose.js";
import * as service from "./service.js";
import { t } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const THUMB = "M4 11h3v9H4zM7 11l4-7.5c1.6 0 2.5 1.1 2.2 2.7L12.6 10H18c1.3 0 2.1 1.1 1.8 2.3l-1.5 5.9c-.3 1.1-1.1 1.8-2.2 1.8H7";

const given = new WeakMap(); // a result -> a hit's index, or null for the answer -> its vote

function icon() {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", THUMB);
  svg.append(path);
  return svg;
}

// What is shown (1, -1 or 0), what the service keeps, and why the last press failed. Outlasts the
// buttons: another language draws new ones while a vote is under way.
function voteOn(found, hit) {
  if (!given.has(found)) given.set(found, new Map());
  const votes = given.get(found);
  if (!votes.has(hit)) votes.set(hit, { shown: 0, kept: 0, failure: null, sent: Promise.resolve() });
  return votes.get(hit);
}

function press(found, hit, value) {
  const vote = voteOn(found, hit);
  const wanted = vote.shown === value ? 0 : value;
  vote.shown = wanted;
  vote.failure = null;
  vote.draw();
  const mine = vote.sent.then(async () => {
    try {
      await service.vote(found, wanted, hit);
      vote.kept = wanted;
    } catch (error) {
      if (vote.sent !== mine) return; // a later press says what is wanted
      vote.shown = vote.kept;
      vote.failure = error.message;
      vote.draw();
    }
  });
  vote.sent = mine;
}

// Two buttons for the answer, or for the hit of that index; nothing where there is no vote to give.
export function thumbs(found, hit = null) {
  if (!found.logged || hit === -1) return null;
  const vote = voteOn(found, hit);
  const note = element("span", { class: "vote-note", role: "status" });
  const thumb = (value, kind, label) =>
    element("button", { type: "button", class: `thumb ${kind}`, title: label, "aria-label": label, onclick: () => press(found, hit, value) }, icon());
  const up = thumb(1, "up", t("voteUp"));
  const down = thumb(-1, "down", t("voteDown"));
  vote.draw = () => {
    up.setAttribute("aria-pressed", String(vote.shown === 1));
    down.setAttribute("aria-pressed", String(vote.shown === -1));
    note.textContent = vote.failure === null ? "" : t("voteFailed", { why: vote.failure });
  };
  vote.draw();
  const words = hit === null ? t("voteAnswer") : t("votePassage", { path: found.hits[hit].path });
  const asked = hit === null ? element("span", { "aria-hidden": "true" }, words) : null;
  return element("span", { class: "votes", role: "group", "aria-label": words }, asked, up, down, note);
}
