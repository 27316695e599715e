// Who or what is under a click: asked of the server, told beside it.

import { LETTERS, ask, make, room } from "./room.js";

function redraw(i) {
  if (room.frame) room.panels[i].country.draw(room.frame.actors[i], room.frame.layer);
}

export function look(i, what) {
  room.followed = { model: i, ...what };
  room.panels.forEach((p, k) => {
    p.country.flash = k === i ? what.cell : null;
  });
  ask("describe", { model: i, ...what });
  redraw(i);
}

let followedAt = 0;
export function follow() {
  const f = room.followed;
  if (!f || !room.panels[f.model] || Date.now() - followedAt < 600) return;
  followedAt = Date.now();
  if (f.kind === "somebody") return; // another person may be the nth by now
  ask("describe", f);
}

export function described(m) {
  const p = room.panels[m.model], f = room.followed;
  if (!p || !f || f.model !== m.model) return;
  room.panels.forEach((x) => x.said?.remove());
  const others = p.country.inCell(f.cell);
  const at = others.findIndex((o) => o.kind === f.kind && (o.kind !== "unit" && o.kind !== "band" ? true : o.index === f.index));
  const next = others[(at + 1) % others.length];
  const buttons = [
    f.kind === "cell" ? null : make("button", { text: "The place", onclick: () => look(m.model, { kind: "cell", index: f.cell, cell: f.cell }) }),
    others.length > 1 ? make("button", { text: "Next here", onclick: () => look(m.model, next) }) : null,
    f.kind === "somebody" ? make("button", { text: "Another civilian", onclick: () => {
      const n = p.country.counts[f.status][f.cell];
      look(m.model, { ...f, nth: (f.nth + 1) % Math.max(1, n) });
    } }) : null,
  ];
  const low = p.country.corner(f.cell)[1] > p.canvas.clientHeight / 2; // what is clicked stays in sight
  const letter = room.panels.length > 1 ? `${LETTERS[m.model]}: ` : "";
  p.said = make("div", { class: low ? "said over" : "said", role: "status", "aria-label": `In model ${LETTERS[m.model]}: ${m.title}` },
    make("h3", { text: `${letter}${m.title}` }), make("button", { class: "close", text: "Close", onclick: forget }),
    make("ul", {}, ...m.sentences.map((t) => make("li", { text: t }))), make("div", { class: "more" }, ...buttons.filter(Boolean)));
  p.box.append(p.said);
}

export function forget() {
  const i = room.followed?.model;
  room.followed = null;
  room.panels.forEach((p, k) => {
    p.said?.remove();
    p.said = null;
    p.country.flash = null;
    if (k === i) redraw(k);
  });
}

export function keyOnMap(e, i) {
  const moves = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  const country = room.panels[i].country;
  if (moves[e.key]) country.moveCursor(...moves[e.key]);
  else if (e.key === "Enter" && country.cursor !== null) {
    const here = country.inCell(country.cursor), f = room.followed;
    const at = f && f.model === i && f.cell === country.cursor ? here.findIndex((o) => o.kind === f.kind && o.index === f.index) : -1;
    look(i, here[(at + 1) % here.length]);
  } else return;
  e.preventDefault();
  e.stopPropagation();
}
