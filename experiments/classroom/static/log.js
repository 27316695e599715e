// What happened: the list of the panel, and the few things that are announced as they happen.

import { $, LETTERS, make, room, say } from "./room.js";
import { look } from "./who.js";

const HEAVY = new Set(["event", "agreement", "collapse", "consent"]);
const NEWS = ["event", "collapse", "agreement", "consent", "ambush", "mission"]; // announced, the weightiest first
const MOST = 250;
const APART = 1500; // ms between two announcements

// Entries of several models as one where they say the same: each with the models it is of.
function merged(logs, kinds) {
  const found = new Map();
  logs.forEach((log, i) => {
    for (const e of log) {
      if (kinds.length && !kinds.includes(e.kind)) continue;
      const key = `${e.week} ${e.text}`;
      if (found.has(key)) found.get(key).models.push(i);
      else found.set(key, { ...e, models: [i] });
    }
  });
  return [...found.values()];
}

export function entries() {
  if ($("log").hidden || !room.history) return;
  const kinds = $("log-kind").value.split(" ").filter(Boolean);
  const all = merged(room.history.actors.map((a) => a.log), kinds).sort((a, b) => b.week - a.week).slice(0, MOST);
  $("entries").replaceChildren(...all.map((e) => {
    const meta = make("span", { class: "meta" }, `week ${e.week} `);
    if (room.scene.actors.length > 1) for (const i of e.models) {
      const letter = make("span", { class: "letter", text: LETTERS[i] });
      letter.style.background = room.scene.actors[i].colour;
      meta.append(letter);
    }
    return make("li", {}, make("button", { class: HEAVY.has(e.kind) ? "heavy" : "", "data-kind": e.kind, title: e.cell === null ? "" : "Show the place",
      onclick: () => { if (e.cell !== null) for (const i of e.models.slice(0, 1)) look(i, { kind: "cell", index: e.cell, cell: e.cell }); } },
    meta, make("span", { text: e.text })));
  }));
  if (!all.length) $("entries").replaceChildren(make("li", { text: "Nothing of note yet." }));
}

// Said on the screen and to those who hear the page; at great speed only the weightiest of every moment.
let waiting = [], said = 0;
export function announce(logs) {
  waiting.push(...merged(logs, NEWS));
  if (!waiting.length || (room.playing && Date.now() - said < APART)) return;
  const first = waiting.reduce((a, b) => (NEWS.indexOf(b.kind) < NEWS.indexOf(a.kind) ? b : a));
  const who = room.scene.actors.length > 1 ? `, ${first.models.map((i) => LETTERS[i]).join(" and ")}` : "";
  say(`Week ${first.week}${who}: ${first.text}`);
  said = Date.now();
  waiting = [];
}

export function forgetNews() {
  waiting = [];
  say("");
}
