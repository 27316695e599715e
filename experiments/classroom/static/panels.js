// The models side by side: a map, its name, what was set, its numbers; below them the legend and the charts.

import { chart, phasesAt, spoken, timeline, valuesOf } from "./charts.js";
import { Country, mark } from "./map.js";
import { $, LETTERS, ask, make, projected, room } from "./room.js";
import { follow, keyOnMap, look } from "./who.js";

// ------------------------------------------------------------------------------ once for a scene

export function layOut(resized) {
  const { scene } = room, n = scene.actors.length;
  const broad = scene.land.cols > 1.25 * scene.land.rows;
  $("maps").className = `${["alone", "beside", "stacked"][n - 1]}${broad ? " broad" : ""}`;
  $("maps").style.setProperty("--shape", scene.land.cols / scene.land.rows);
  $("add").disabled = n >= 3;
  room.panels = scene.actors.map((actor, i) => panel(actor, i, n));
  $("maps").replaceChildren(...room.panels.map((p) => p.node));
  $("charts").replaceChildren(...room.welcome.headlines.filter((h) => h.charted).map((h) =>
    make("canvas", { role: "img", "aria-label": `${h.label} over time`, "data-chart": h.name })));
  watching.disconnect();
  room.panels.forEach((p, i) => {
    watching.observe(p.box);
    p.country.settle(scene, scene.actors[i]);
  });
  watching.observe($("charts"));
}

function panel(actor, i, n) {
  const letter = LETTERS[i], missions = room.scene.controls[0].controls.find((c) => c.key === "mission");
  const canvas = make("canvas", { tabindex: 0, role: "application",
    "aria-label": `Map of model ${letter}, ${actor.title}: arrows move from cell to cell, Enter tells who is there` });
  const select = make("select", { "aria-label": `Mission model ${letter}`, title: actor.summary,
    onchange: (e) => ask("set", { key: "mission", value: e.target.value, models: [i] }) });
  for (const [key, label, summary] of missions.options) {
    select.append(make("option", { value: key, text: label, title: summary, selected: key === actor.mission }));
  }
  const badge = make("span", { class: "agreement", title: "an agreement is in force", hidden: true }, "✓", make("span", { class: "long", text: " agreement" }));
  const sign = make("span", { class: "letter", text: letter });
  sign.style.background = actor.colour;
  const head = make("div", { class: "head" }, sign, select, i ? make("span", { class: "versus", title: "The numbers are differences from model A" }, make("span", { class: "long", text: "difference from A" }), make("span", { class: "short", text: "vs A" })) : null, badge,
    n > 1 ? make("button", { class: "remove", text: "×", "aria-label": `Take model ${letter} away`, title: "Take this model away",
      onclick: () => ask("remove", { model: i }) }) : null);
  const set = make("p", { class: "set", hidden: !actor.changes.length }, ...actor.changes.map((t) => make("span", { text: t })));
  const missionsHere = actor.missions.map((m) => ({ ...m, text: make("span", {}) }));
  const about = make("p", { class: "about" }, ...missionsHere.map((m) => make("span", {}, icon("circle", m.helmet, m.stripe), m.text)));
  if (!missionsHere.length) about.append(make("span", { text: "Nobody comes." }));
  const numbers = make("dl", { class: "numbers" }), cells = {};
  for (const h of room.welcome.headlines) {
    cells[h.name] = make("dd", { text: "…", "data-number": h.name });
    const unit = h.name === "cost" && actor.authorised ? `of ${spoken(h, actor.authorised)}` : h.unit;
    const more = h.name === "cost" && actor.authorised ? " authorised" : "";
    numbers.append(make("div", { "data-charted": h.charted, title: `${h.label}, ${unit}${more}` }, make("dt", {},
      make("span", { class: "long", text: h.label }), make("span", { class: "short", text: h.short }), " ",
      make("small", { class: more ? "of" : "", text: unit }, make("span", { class: "more", text: more }))), cells[h.name]));
  }
  const box = make("div", { class: "map" }, canvas);
  const node = make("section", { class: "model", "data-model": letter,
    "aria-label": `Model ${letter}: ${[actor.title.split(",")[0], ...actor.changes].join(", ")}` },
  head, make("div", { class: "words" }, set, about), make("div", { class: "body" }, box, numbers));
  const country = new Country(canvas, room.welcome.look);
  canvas.addEventListener("click", (e) => {
    const found = country.under(e.offsetX, e.offsetY);
    if (found) look(i, found);
  });
  canvas.addEventListener("keydown", (e) => keyOnMap(e, i));
  canvas.addEventListener("blur", () => {
    country.cursor = null;
    if (room.frame) country.draw(room.frame.actors[i], room.frame.layer);
  });
  return { node, canvas, box, select, badge, missions: missionsHere, cells, country, said: null };
}

// ------------------------------------------------------------------------------ in every week

export function show() {
  const { frame, scene, panels, welcome } = room;
  if (!frame || !scene || frame.actors.length !== panels.length) return;
  const against = projected() ? frame.actors[0].numbers : null;
  frame.actors.forEach((a, i) => {
    const p = panels[i];
    p.country.draw(a, frame.layer);
    for (const h of welcome.headlines) {
      const value = a.numbers[h.name];
      p.cells[h.name].textContent = !against ? spoken(h, value) : i ? difference(h, value, against[h.name]) : brief(h, value);
    }
    p.badge.hidden = !a.agreement;
    a.missions.forEach((m, k) => {
      const there = [m.phase === "at strength" && m.persons ? "" : m.phase, m.persons ? m.persons.toLocaleString("en") : ""];
      const text = `${p.missions[k].name}: ${there.filter(Boolean).join(", ")}`;
      if (p.missions[k].text.textContent !== text) p.missions[k].text.textContent = text;
    });
  });
  $("maps").dataset.shows = `${frame.layer} ${frame.week}`;
  const day = new Date(`${frame.date}T00:00:00Z`);
  $("when").textContent = `Week ${frame.week} · ${day.toLocaleDateString("en", { month: "short", year: "numeric", timeZone: "UTC" })}`;
  if (document.activeElement !== $("jump") || room.playing) $("jump").value = frame.week;
  $("jump").setAttribute("aria-valuetext", phasesAt(scene, room.history, frame.week));
  if (document.activeElement !== $("week")) $("week").value = frame.week;
  drawCharts();
  follow();
}

// A number as it is projected: short.
function brief(headline, value) {
  return headline.how !== "mean" && headline.name !== "cost" && value >= 1e5 ? `${(value / 1e6).toFixed(2)} m` : spoken(headline, value);
}

function difference(headline, value, base) {
  if (value === null || base === null) return "–";
  const d = value - base, points = Math.round(100 * d);
  if ((headline.how === "mean" ? points : Math.round(d)) === 0) return "±0";
  return `${d < 0 ? "−" : "+"}${headline.how === "mean" ? `${Math.abs(points)} pts` : brief(headline, Math.abs(d))}`;
}

let told = 0;
export function drawCharts() {
  const { history, scene, welcome } = room;
  if (!history || !scene) return;
  const colours = scene.actors.map((a) => a.colour), until = projected() ? Math.max(room.week, 13) : scene.weeks;
  const tell = !room.playing || Date.now() - told > 2000; // names are for those who listen: not 25 times a second
  if (tell) told = Date.now();
  for (const h of welcome.headlines.filter((x) => x.charted)) {
    const canvas = document.querySelector(`[data-chart=${h.name}]`), series = history.actors.map((a) => a.series[h.name]);
    chart(canvas, h, series, colours, until);
    if (tell) canvas.setAttribute("aria-label", valuesOf(h, series, scene));
  }
  timeline($("timeline"), scene, history, room.week);
}

export function resized() {
  room.panels.forEach((p) => p.country.resize());
  if (room.frame) drawCharts();
}

const watching = new ResizeObserver(resized);

// ------------------------------------------------------------------------------ the legend

function icon(shape, colour, stripe) {
  const canvas = make("canvas", { width: 36, height: 36, "aria-hidden": "true" });
  const ctx = canvas.getContext("2d");
  ctx.scale(2, 2);
  if (shape === "dot") {
    ctx.fillStyle = colour;
    ctx.fillRect(7, 7, 5, 5);
  } else mark(ctx, shape, colour, 9, 9, 7, false, stripe);
  return canvas;
}

export function legend(choose) {
  const { scene, welcome } = room;
  if (!scene) return;
  const layer = welcome.layers.find((l) => l.key === room.layer);
  const select = make("select", { "aria-label": "Shade of the maps", id: "layer", onchange: (e) => choose(e.target.value) });
  welcome.layers.forEach((l, i) => select.append(make("option", { value: l.key, text: `${i + 1} ${l.title}`, selected: l.key === room.layer })));
  const ramp = make("span", { class: "ramp", title: layer.unit });
  ramp.style.background = `linear-gradient(90deg, ${welcome.look.ground}, ${welcome.look.ramps[room.layer]})`;
  const nodes = [make("span", {}, select), make("span", {}, "0 ", ramp, ` ${layer.share ? `${layer.top * 100}%` : layer.top}${layer.top === 1 ? "" : " or more"} `,
    make("small", { class: "unit", text: layer.unit }))];
  const sign = (shape, colour, text, title, stripe) => nodes.push(make("span", { title: title || "" }, icon(shape, colour, stripe), text));
  for (const f of scene.factions) sign(f.shape, f.colour, f.name, f.summary);
  const helmets = new Map();
  for (const a of scene.actors) for (const m of a.missions) helmets.set(m.helmet + m.stripe, { ...m, names: (helmets.get(m.helmet + m.stripe)?.names || new Set()).add(m.name) });
  for (const m of helmets.values()) sign("circle", m.helmet, [...m.names].join(", "), "", m.stripe);
  const teams = new Map(), humanitarians = scene.actors.flatMap((a) => a.humanitarians);
  for (const m of humanitarians) teams.set(m.helmet + m.stripe, m);
  for (const m of teams.values()) sign("cross", m.helmet, m.name, "", m.stripe);
  if (humanitarians.length) sign("cross", welcome.look.ink, "aid team");
  sign("dot", welcome.look.civilian, `${Math.round(scene.persons_per_dot).toLocaleString("en")} people`);
  sign("dot", welcome.look.displaced, "displaced");
  if (scene.common.length) nodes.push(make("span", { class: "common", text: `For all: ${scene.common.join(", ")}` }));
  if (scene.country.note) nodes.push(make("span", { class: "common", title: scene.country.note, text: scene.country.note.split(". ")[0] }));
  nodes.push(make("span", { class: "note", text: "A thinking tool, not a forecast" }));
  $("legend").replaceChildren(...nodes);
}

