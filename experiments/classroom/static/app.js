// The page: what the server says is drawn, what the visitor does is asked of the server. The link holds the whole state.

import { chart, phasesAt, spoken, timeline } from "./charts.js";
import { Country, mark } from "./map.js";

const $ = (id) => document.getElementById(id);
const LETTERS = "ABC";
const state = { playing: false, speed: 4, layer: "violence", week: 0, target: "all", counts: [], busy: true };
let socket = null, welcome = null, scene = null, history = null, frame = null, panels = [], again = 500;

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) {
    if (k.startsWith("on")) node.addEventListener(k.slice(2), v);
    else if (k === "text") node.textContent = v;
    else if (v === true) node.setAttribute(k, "");
    else if (v !== false && v !== null && v !== undefined) node.setAttribute(k, v);
  }
  node.append(...children.filter((c) => c !== null));
  return node;
}

// ------------------------------------------------------------------------------ the server

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/visit`);
  socket.onmessage = (e) => {
    const message = JSON.parse(e.data);
    (hear[message.is] || (() => {}))(message);
  };
  socket.onopen = () => {
    again = 500;
    say("");
  };
  socket.onclose = (e) => {
    if (e.code === 4001) return;
    say("The server does not answer. Trying again …");
    setTimeout(connect, (again = Math.min(again * 2, 8000)));
  };
}

function ask(what, more = {}) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ do: what, ...more }));
}

function say(text) {
  $("status").textContent = text;
}

const hear = {
  full: (m) => wrong(m.text, 0),
  welcome(m) {
    const first = !welcome;
    welcome = m;
    $("about").textContent = m.about;
    if (first) furnish();
    const query = location.search.slice(1);
    const layer = new URLSearchParams(query).get("layer");
    if (m.layers.some((l) => l.key === layer)) setLayer(layer);
    ask("scene", /(^|&)[abc]=/.test(query) ? { link: query } : { models: m.cards[1].models });
    ask("speed", { speed: state.speed });
  },
  scene(m) {
    scene = m;
    frame = null;
    state.busy = true;
    $("when").textContent = "…"; // until its week is there
    $("jump").max = $("week").max = m.weeks;
    document.title = `${m.country.name}: peacekeeping classroom`;
    if (Number(state.target) >= m.actors.length) state.target = "all";
    layOut();
    legend();
    settings();
    cards();
  },
  history(m) {
    history = m;
    state.busy = false;
    state.counts = m.actors.map((a) => a.log.length);
    entries();
    say("");
  },
  frame(m) {
    frame = m;
    const jumped = m.week !== state.week + 1;
    state.week = m.week;
    m.actors.forEach((a, i) => {
      const old = history.actors[i];
      if (!jumped && old.series.killed.length === m.week - 1) {
        for (const h of welcome.headlines) if (h.charted) old.series[h.name].push(a.numbers[h.name]);
        a.missions.forEach((x, k) => old.strength[k].push(x.persons / Math.max(1, scene.actors[i].missions[k].authorised)));
        old.agreement.push(a.agreement ? 1 : 0);
      }
      old.phases = a.phases;
      old.log.push(...a.log);
    });
    if (m.actors.some((a) => a.log.length)) entries();
    requestAnimationFrame(() => {
      show();
      ask("drawn");
    });
  },
  busy(m) {
    say(`On the way to week ${m.goal}: week ${m.week} …`);
    $("jump").value = m.goal;
  },
  state(m) {
    state.playing = m.playing;
    state.speed = m.speed;
    $("play").textContent = m.playing ? "❚❚ Pause" : "▶ Play";
    $("play").setAttribute("aria-pressed", m.playing);
    $("speed").textContent = `${m.speed} week${m.speed > 1 ? "s" : ""}/s`;
    $("slower").disabled = m.speed === welcome.speeds[0];
    $("faster").disabled = m.speed === welcome.speeds[welcome.speeds.length - 1];
    address(true);
  },
  described: (m) => described(m),
  wrong(m) {
    const at = m.key && document.querySelector(`.control[data-key="${CSS.escape(m.key)}"]`);
    if (at) {
      at.querySelector(".error")?.remove();
      at.append(make("p", { class: "error", role: "alert", text: sentence(m.text) }));
    } else wrong(m.text);
    if (scene && m.key) values();
    $("week").value = state.week;
    panels.forEach((p, i) => (p.select.value = scene.actors[i].mission));
  },
  tables(m) {
    const name = m.name in m.files ? m.name : state.wanted;
    save(`classroom_${name}_week${m.week}.csv`, m.files[name], "text/csv");
  },
  making(m) {
    $("making").hidden = false;
    $("making-bar").max = m.total;
    $("making-bar").value = m.done;
    const what = m.what === "sheet" ? `run ${m.done} of ${m.total - 1}` : `week ${m.done} of ${m.total}`;
    $("making-text").textContent = m.waiting ? "waiting for its turn …" : m.what === "sheet" && m.done >= m.total - 1 ? "drawing …" : what;
  },
  made(m) {
    $("making").hidden = true;
    for (const kind of ["sheet", "gif", "mp4"]) $(`make-${kind}`).disabled = kind === "mp4" && !!welcome.mp4;
    if (m.error) {
      $("made").replaceChildren(make("p", { class: "small", text: m.error === "cancelled" ? "Cancelled." : sentence(m.error) }));
      return;
    }
    const names = { pdf: "sheet, PDF", png: "sheet, PNG", gif: "animation, GIF", mp4: "animation, MP4" };
    const links = m.files.map((f) => {
      const kind = names[f.name.split(".").pop()] || f.name.replace("after_action_", "").replace(".csv", " of all seeds, CSV");
      return make("li", {}, make("a", { href: f.href, download: f.name, text: `Download the ${kind}` }));
    });
    $("made").replaceChildren(make("ul", {}, ...links), make("ol", {}, ...m.notes.map((t) => make("li", { text: t }))));
  },
};

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

let hiding = 0;
function wrong(text, seconds = 8) {
  $("wrong").textContent = sentence(text);
  $("wrong").hidden = false;
  clearTimeout(hiding);
  if (seconds) hiding = setTimeout(() => ($("wrong").hidden = true), seconds * 1000);
}

// ------------------------------------------------------------------------------ once

function furnish() {
  for (const n of welcome.seeds) $("seeds").append(make("option", { value: n, text: n, selected: n === 10 }));
  $("make-mp4").disabled = !!welcome.mp4;
  $("no-mp4").textContent = welcome.mp4 ? sentence(welcome.mp4) : "";
}

function setLayer(layer) {
  state.layer = layer;
  ask("layer", { layer });
  legend();
  address(true);
}

// ------------------------------------------------------------------------------ maps and numbers

function layOut() {
  const n = scene.actors.length;
  const broad = scene.land.cols > 1.25 * scene.land.rows;
  $("maps").className = `${["alone", "beside", "stacked"][n - 1]}${broad ? " broad" : ""}`;
  $("add").disabled = n >= 3;
  const missions = scene.controls[0].controls.find((c) => c.key === "mission");
  panels = scene.actors.map((actor, i) => {
    const canvas = make("canvas", { tabindex: 0, role: "application",
      "aria-label": `Map of model ${LETTERS[i]}, ${actor.title}: arrows move from cell to cell, Enter tells who is there` });
    const select = make("select", { "aria-label": `Mission model ${LETTERS[i]}`, title: actor.summary,
      onchange: (e) => ask("set", { key: "mission", value: e.target.value, models: [i] }) });
    for (const [key, label, summary] of missions.options) {
      select.append(make("option", { value: key, text: label, title: summary, selected: key === actor.mission }));
    }
    const badge = make("span", { class: "agreement", text: "agreement", hidden: true });
    const letter = make("span", { class: "letter", text: LETTERS[i] });
    letter.style.background = actor.colour;
    const head = make("div", { class: "head" }, letter, select, badge,
      n > 1 ? make("button", { class: "remove", text: "×", "aria-label": `Take model ${LETTERS[i]} away`, title: "Take this model away",
        onclick: () => ask("remove", { model: i }) }) : null);
    const about = make("p", { class: "about" });
    const numbers = make("dl", { class: "numbers" });
    const cells = {};
    for (const h of welcome.headlines) {
      cells[h.name] = make("dd", { text: "…", "data-number": h.name });
      numbers.append(make("div", {}, make("dt", {}, h.label, " ", make("small", { text: h.unit })), cells[h.name]));
    }
    const box = make("div", { class: "map" }, canvas);
    const node = make("section", { class: "model", "data-model": LETTERS[i], "aria-label": `Model ${LETTERS[i]}: ${actor.title}` },
      head, about, make("div", { class: "body" }, box, numbers));
    return { node, canvas, box, select, badge, about, cells, country: new Country(canvas, welcome.look), said: null };
  });
  $("maps").replaceChildren(...panels.map((p) => p.node));
  watching.disconnect();
  panels.forEach((p) => watching.observe(p.box));
  $("charts").replaceChildren(...welcome.headlines.filter((h) => h.charted).map((h) =>
    make("canvas", { role: "img", "aria-label": `${h.label} over time`, "data-chart": h.name })));
  panels.forEach((p, i) => {
    p.country.settle(scene, scene.actors[i]);
    p.canvas.addEventListener("click", (e) => {
      const found = p.country.under(e.offsetX, e.offsetY);
      if (found) look(i, found);
    });
    p.canvas.addEventListener("keydown", (e) => keyOnMap(e, i));
    p.canvas.addEventListener("blur", () => {
      p.country.cursor = null;
      if (frame) p.country.draw(frame.actors[i], frame.layer);
    });
  });
}

function show() {
  if (!frame || !scene || frame.actors.length !== panels.length) return;
  frame.actors.forEach((a, i) => {
    const p = panels[i], actor = scene.actors[i];
    p.country.draw(a, frame.layer);
    for (const h of welcome.headlines) p.cells[h.name].textContent = spoken(h, a.numbers[h.name]);
    p.badge.hidden = !a.agreement;
    const own = actor.title.includes(",") ? actor.title.split(",").slice(1).join(",").trim() : "";
    const words = a.missions.map((m, k) => {
      const dot = make("i", {});
      dot.style.background = actor.missions[k].helmet;
      return make("span", {}, dot, `${actor.missions[k].name}: ${m.phase}${m.persons ? `, ${m.persons.toLocaleString("en")}` : ""}`);
    });
    p.about.replaceChildren(...(own ? [make("span", { text: own })] : []), ...(words.length ? words : ["Nobody comes."]));
    p.about.title = `${actor.summary} ${[...p.about.childNodes].map((n) => n.textContent).join("; ")}`;
  });
  const day = new Date(`${frame.date}T00:00:00Z`);
  $("when").textContent = `Week ${frame.week} · ${day.toLocaleDateString("en", { month: "short", year: "numeric", timeZone: "UTC" })}`;
  if (document.activeElement !== $("jump") || state.playing) $("jump").value = frame.week;
  $("jump").setAttribute("aria-valuetext", phasesAt(scene, history, frame.week));
  if (document.activeElement !== $("week")) $("week").value = frame.week;
  if (frame.finished) say("The last week.");
  drawCharts();
  follow();
  address(!state.playing);
}

function drawCharts() {
  if (!history || !scene) return;
  const colours = scene.actors.map((a) => a.colour);
  for (const h of welcome.headlines.filter((x) => x.charted)) {
    const canvas = document.querySelector(`[data-chart=${h.name}]`);
    chart(canvas, h, history.actors.map((a) => a.series[h.name]), colours, scene.weeks);
  }
  timeline($("timeline"), scene, history, state.week);
}

let addressed = 0;
function address(now) {
  if (!scene || !frame) return;
  if (!now && Date.now() - addressed < 1000) return;
  addressed = Date.now();
  const query = `${scene.link.replace(/&?week=\d+/, "")}&week=${state.week}&layer=${state.layer}`;
  window.history.replaceState(null, "", `?${query}`);
  $("link").value = location.href;
  $("commands").value = scene.commands.join("\n");
  $("row").textContent = state.week;
}

function legend() {
  if (!scene) return;
  const layer = welcome.layers.find((l) => l.key === state.layer);
  const choose = make("select", { "aria-label": "Shade of the maps", id: "layer", onchange: (e) => setLayer(e.target.value) });
  welcome.layers.forEach((l, i) => choose.append(make("option", { value: l.key, text: `${i + 1} ${l.title}`, selected: l.key === state.layer })));
  const ramp = make("span", { class: "ramp" });
  ramp.style.background = `linear-gradient(90deg, ${welcome.look.ground}, ${welcome.look.ramps[state.layer]})`;
  const nodes = [make("span", {}, choose), make("span", {}, "0 ", ramp, ` ${layer.share ? `${layer.top * 100}%` : layer.top}${layer.top === 1 ? "" : " or more"} `,
    make("small", { class: "unit", text: layer.unit }))];
  const sign = (shape, colour, text, title) => {
    const canvas = make("canvas", { width: 36, height: 36, "aria-hidden": "true" });
    const ctx = canvas.getContext("2d");
    ctx.scale(2, 2);
    if (shape === "dot") {
      ctx.fillStyle = colour;
      ctx.fillRect(7, 7, 5, 5);
    } else mark(ctx, shape, colour, 9, 9, 7);
    nodes.push(make("span", { title: title || "" }, canvas, text));
  };
  for (const f of scene.factions) sign(f.shape, f.colour, f.name, f.summary);
  const helmets = new Map();
  for (const a of scene.actors) for (const m of a.missions) helmets.set(m.helmet, (helmets.get(m.helmet) || new Set()).add(m.name));
  for (const [colour, names] of helmets) sign("circle", colour, [...names].join(", "));
  if (helmets.size) sign("cross", "#222222", "aid team");
  const per = Math.round(scene.persons_per_dot).toLocaleString("en");
  sign("dot", welcome.look.civilian, `${per} people`);
  sign("dot", welcome.look.displaced, "displaced");
  $("legend").replaceChildren(...nodes);
}

// ------------------------------------------------------------------------------ who is that?

function look(i, what) {
  state.followed = { model: i, ...what };
  panels.forEach((p, k) => {
    p.country.flash = k === i ? what.cell : null;
  });
  ask("describe", { model: i, ...what });
  if (frame) panels[i].country.draw(frame.actors[i], frame.layer);
}

let followedAt = 0;
function follow() {
  const f = state.followed;
  if (!f || !panels[f.model] || Date.now() - followedAt < 600) return;
  followedAt = Date.now();
  if (f.kind === "somebody") return; // another person may be the nth by now
  ask("describe", f);
}

function described(m) {
  const p = panels[m.model], f = state.followed;
  if (!p || !f || f.model !== m.model) return;
  panels.forEach((x) => x.said?.remove());
  const others = p.country.inCell(f.cell);
  const names = { unit: "Next here", band: "Next here", somebody: "Next here", cell: "Next here" };
  const at = others.findIndex((o) => o.kind === f.kind && (o.kind !== "unit" && o.kind !== "band" ? true : o.index === f.index));
  const next = others[(at + 1) % others.length];
  const buttons = [
    f.kind === "cell" ? null : make("button", { text: "The place", onclick: () => look(m.model, { kind: "cell", index: f.cell, cell: f.cell }) }),
    others.length > 1 ? make("button", { text: names[f.kind], onclick: () => look(m.model, next) }) : null,
    f.kind === "somebody" ? make("button", { text: "Another civilian", onclick: () => {
      const n = p.country.counts[f.status][f.cell];
      look(m.model, { ...f, nth: (f.nth + 1) % Math.max(1, n) });
    } }) : null,
  ];
  const low = p.country.corner(f.cell)[1] > p.canvas.clientHeight / 2; // what is clicked stays in sight
  p.said = make("div", { class: low ? "said over" : "said", role: "status" },
    make("h3", { text: m.title }), make("button", { class: "close", text: "Close", onclick: forget }),
    make("ul", {}, ...m.sentences.map((t) => make("li", { text: t }))), make("div", { class: "more" }, ...buttons.filter(Boolean)));
  p.box.append(p.said);
}

function forget() {
  const i = state.followed?.model;
  state.followed = null;
  panels.forEach((p, k) => {
    p.said?.remove();
    p.said = null;
    p.country.flash = null;
    if (k === i && frame) p.country.draw(frame.actors[k], frame.layer);
  });
}

function keyOnMap(e, i) {
  const moves = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  const country = panels[i].country;
  if (moves[e.key]) country.moveCursor(...moves[e.key]);
  else if (e.key === "Enter" && country.cursor !== null) {
    const here = country.inCell(country.cursor), f = state.followed;
    const at = f && f.model === i && f.cell === country.cursor ? here.findIndex((o) => o.kind === f.kind && o.index === f.index) : -1;
    look(i, here[(at + 1) % here.length]);
  } else return;
  e.preventDefault();
  e.stopPropagation();
}

// ------------------------------------------------------------------------------ scenario cards

function cards() {
  const here = JSON.stringify(scene.models);
  $("start").replaceChildren(...welcome.cards.map((c) => make("button", { class: "card", "aria-pressed": JSON.stringify(c.models) === here,
    onclick: () => {
      forget();
      ask("pause");
      ask("scene", { models: c.models });
    } }, make("b", { text: c.title }), `${c.text} `, make("i", { text: c.look_for }))));
}

// ------------------------------------------------------------------------------ settings

function targets(control) {
  if (control.all || state.target === "all") return scene.actors.map((_, i) => i).filter((i) => control.values[i] !== null);
  return control.values[state.target] === null ? [] : [Number(state.target)];
}

function settings() {
  const box = $("settings"), open = new Set([...box.querySelectorAll("details[open]")].map((d) => d.dataset.title));
  const scrolled = box.scrollTop, focused = document.activeElement?.dataset?.focus;
  const target = make("fieldset", { class: "target" }, make("span", { text: "Set for" }));
  for (const t of ["all", ...scene.actors.map((_, i) => String(i))]) {
    target.append(make("label", {}, make("input", { type: "radio", name: "target", value: t, checked: t === state.target,
      onchange: () => { state.target = t; settings(); } }), t === "all" ? "all" : LETTERS[t]));
  }
  const groups = scene.controls.map((g, k) => {
    const nodes = g.controls.filter((c) => targets(c).length).map(control);
    return make("details", { "data-title": g.title, open: open.size ? open.has(g.title) : k === 0 }, make("summary", { text: g.title }), ...nodes);
  });
  box.replaceChildren(target, make("p", { class: "small", text: "A change starts the run again with the same luck and comes back to this week." }), ...groups);
  values();
  box.scrollTop = scrolled;
  if (focused) box.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function control(c) {
  const name = c.mission ? `${c.mission}: ${c.label.toLowerCase()}` : c.label;
  const set = (value) => ask("set", { key: c.key, value, models: targets(c) });
  const node = make("div", { class: "control", "data-key": c.key }, make("div", { class: "name" }, make("label", { text: name }), make("span", { class: "now" })));
  const label = node.querySelector("label");
  const id = `c-${c.key.replace(/\W/g, "-")}`;
  label.htmlFor = id;
  const clear = () => node.querySelector(".error")?.remove();
  if (c.kind === "choice") {
    const select = make("select", { id, "data-focus": `${c.key} s`, onchange: (e) => { clear(); set(e.target.value); } });
    select.append(make("option", { value: "", text: "differs", hidden: true }));
    for (const [value, text] of c.options) select.append(make("option", { value, text }));
    node.append(select);
  } else {
    const slider = make("input", { type: "range", id, min: c.low, max: c.high, step: c.step, "data-focus": `${c.key} r`,
      oninput: (e) => { number.value = e.target.value; }, onchange: (e) => { clear(); set(e.target.value); } });
    const number = make("input", { type: "number", step: "any", "aria-label": `${name}, in ${c.units}`, "data-focus": `${c.key} n`,
      onchange: (e) => { clear(); if (e.target.value !== "") set(e.target.value); } });
    node.append(make("div", { class: "row" }, slider, number));
  }
  const range = c.allowed ? ` Allowed: ${plain(c.allowed[0])} to ${plain(c.allowed[1])}${["share", "seed"].includes(c.unit) ? "" : ` ${c.units}`}.` : "";
  node.append(make("p", { class: "doc" }), make("p", { class: "asks", text: c.asks }));
  node.querySelector(".doc").textContent = sentence(c.says || c.doc[0].toUpperCase() + c.doc.slice(1)) + range;
  return node;
}

function plain(v) {
  return Math.abs(v) >= 1e6 ? v.toLocaleString("en", { notation: "compact" }) : v.toLocaleString("en");
}

// Put the values of the scene into the controls.
function values() {
  for (const g of scene.controls) for (const c of g.controls) {
    const node = document.querySelector(`.control[data-key="${CSS.escape(c.key)}"]`);
    if (!node) continue;
    const which = targets(c), mine = which.map((i) => c.values[i]), same = mine.every((v) => v === mine[0]);
    const shown = node.querySelector(".now");
    const off = c.off && which.every((i) => c.off[i]);
    node.classList.toggle("off", !!off);
    if (c.kind === "choice") {
      node.querySelector("select").value = same ? mine[0] : "";
      shown.textContent = "";
      const summary = same && c.options.find((o) => o[0] === mine[0])?.[2];
      if (summary) node.querySelector(".doc").textContent = summary;
    } else {
      const [slider, number] = node.querySelectorAll("input");
      slider.value = mine[0];
      number.value = same ? mine[0] : "";
      number.placeholder = same ? "" : "differs";
      shown.textContent = off ? `${c.units}; not in use: see “Held equal”` : same ? c.units : `${mine.map(plain).join(" / ")} ${c.units}`;
    }
  }
}

// ------------------------------------------------------------------------------ the log

const HEAVY = new Set(["agreement", "collapse", "consent"]);
const MOST = 250;

function entries() {
  if ($("log").hidden || !history) return;
  const kinds = $("log-kind").value.split(" ").filter(Boolean), merged = new Map();
  history.actors.forEach((a, i) => {
    for (const e of a.log) {
      if (kinds.length && !kinds.includes(e.kind)) continue;
      const key = `${e.week} ${e.text}`;
      if (merged.has(key)) merged.get(key).models.push(i);
      else merged.set(key, { ...e, models: [i] });
    }
  });
  const all = [...merged.values()].sort((a, b) => b.week - a.week).slice(0, MOST);
  $("entries").replaceChildren(...all.map((e) => {
    const meta = make("span", { class: "meta" }, `week ${e.week} `);
    if (scene.actors.length > 1) for (const i of e.models) {
      const letter = make("span", { class: "letter", text: LETTERS[i] });
      letter.style.background = scene.actors[i].colour;
      meta.append(letter);
    }
    return make("li", {}, make("button", { class: HEAVY.has(e.kind) ? "heavy" : "", "data-kind": e.kind, title: e.cell === null ? "" : "Show the place",
      onclick: () => { if (e.cell !== null) for (const i of e.models.slice(0, 1)) look(i, { kind: "cell", index: e.cell, cell: e.cell }); } },
    meta, make("span", { text: e.text })));
  }));
  if (!all.length) $("entries").replaceChildren(make("li", { text: "Nothing of note yet." }));
}

// ------------------------------------------------------------------------------ take away

function save(name, text, type) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function take(what) {
  ask("take", { what, seeds: Number($("seeds").value), every: Number($("every").value) });
  for (const kind of ["sheet", "gif", "mp4"]) $(`make-${kind}`).disabled = true;
  $("made").replaceChildren();
}

// ------------------------------------------------------------------------------ what the visitor does

function playOrPause() {
  ask(state.playing ? "pause" : "play");
}

function go(week) {
  if (!Number.isInteger(week) || !scene) return;
  ask("go", { week });
}

function step() {
  if (state.playing) ask("pause");
  go(Math.min(state.week + 1, scene.weeks));
}

function faster(by) {
  const k = welcome.speeds.indexOf(state.speed) + by;
  if (welcome.speeds[k]) ask("speed", { speed: welcome.speeds[k] });
}

function openTab(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const mine = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", mine);
    tab.tabIndex = mine ? 0 : -1;
    $(tab.getAttribute("aria-controls")).hidden = !mine;
  }
  entries();
}

function showPanel(on) {
  document.body.classList.toggle("wide", !on);
  $("panel").setAttribute("aria-expanded", on);
  resized();
}

function resized() {
  panels.forEach((p) => p.country.resize());
  if (frame) drawCharts();
}

const watching = new ResizeObserver(resized);

$("play").addEventListener("click", playOrPause);
$("step").addEventListener("click", step);
$("first").addEventListener("click", () => {
  ask("pause");
  go(0);
});
$("slower").addEventListener("click", () => faster(-1));
$("faster").addEventListener("click", () => faster(1));
$("jump").addEventListener("change", (e) => go(Number(e.target.value)));
$("week").addEventListener("change", (e) => {
  const week = Number(e.target.value);
  if (Number.isInteger(week)) ask("go", { week });
});
$("jump").addEventListener("pointermove", (e) => {
  const share = (e.offsetX - 8) / ($("jump").clientWidth - 16), week = Math.round(share * (scene?.weeks || 0));
  if (history && week >= 0 && week <= scene.weeks) $("jump").title = phasesAt(scene, history, week);
});
$("add").addEventListener("click", () => ask("add"));
$("panel").addEventListener("click", () => showPanel(document.body.classList.contains("wide")));
$("help").addEventListener("click", () => $("keys").showModal());
$("log-kind").addEventListener("change", entries);
for (const kind of ["sheet", "gif", "mp4"]) $(`make-${kind}`).addEventListener("click", () => take(kind));
$("cancel").addEventListener("click", () => ask("cancel"));
for (const name of ["weekly", "events"]) $(`csv-${name}`).addEventListener("click", () => {
  state.wanted = name;
  ask("tables");
});
$("save").addEventListener("click", () => save("classroom_scene.txt", `${$("link").value}\n\n${$("commands").value}\n`, "text/plain"));
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => {
  const field = $(button.dataset.copy);
  field.select();
  if (navigator.clipboard) navigator.clipboard.writeText(field.value).catch(() => {});
  else document.execCommand("copy"); // a page without https, as in a classroom's own network
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
});
const tabs = [...document.querySelectorAll("[role=tab]")];
tabs.forEach((tab, i) => {
  tab.addEventListener("click", () => openTab(tab.id.slice(4)));
  tab.addEventListener("keydown", (e) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!by) return;
    const next = tabs[(i + by + tabs.length) % tabs.length];
    openTab(next.id.slice(4));
    next.focus();
    e.stopPropagation();
  });
});
document.addEventListener("keydown", (e) => {
  const at = e.target;
  if (e.ctrlKey || e.metaKey || e.altKey || $("keys").open) return;
  if (e.key === "Escape") {
    forget();
    $("wrong").hidden = true;
    return;
  }
  if (at.matches("input, select, textarea")) return;
  const layer = welcome?.layers[Number(e.key) - 1];
  if (e.key === " " && !at.matches("button, summary, a")) playOrPause();
  else if (e.key === "ArrowRight") step();
  else if (e.key === "Home") $("first").click();
  else if (e.key === "+" || e.key === "=") faster(1);
  else if (e.key === "-") faster(-1);
  else if (e.key === "f" || e.key === "F") showPanel(document.body.classList.contains("wide"));
  else if (e.key === "?") $("keys").showModal();
  else if (layer) setLayer(layer.key);
  else return;
  e.preventDefault();
});
window.addEventListener("resize", resized);
if (window.matchMedia("(min-width: 901px) and (max-width: 1100px)").matches) showPanel(false);
openTab("start");
connect();
