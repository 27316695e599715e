// The settings: controls as the server declares them, for all models or for one.

import { $, LETTERS, ask, make, room, sentence } from "./room.js";

function targets(control) {
  if (control.all || room.target === "all") return room.scene.actors.map((_, i) => i).filter((i) => control.values[i] !== null);
  return control.values[room.target] === null ? [] : [Number(room.target)];
}

export function settings() {
  const box = $("settings"), open = new Set([...box.querySelectorAll("details[open]")].map((d) => d.dataset.title));
  const scrolled = box.scrollTop, focused = document.activeElement?.dataset?.focus;
  const target = make("fieldset", { class: "target" }, make("span", { text: "Set for" }));
  for (const t of ["all", ...room.scene.actors.map((_, i) => String(i))]) {
    target.append(make("label", {}, make("input", { type: "radio", name: "target", value: t, checked: t === room.target,
      onchange: () => { room.target = t; settings(); } }), t === "all" ? "all" : LETTERS[t]));
  }
  const groups = room.scene.controls.map((g, k) => {
    const nodes = g.controls.filter((c) => targets(c).length).map(control);
    return make("details", { "data-title": g.title, open: open.size ? open.has(g.title) : k === 0 }, make("summary", { text: g.title }), ...nodes);
  });
  box.replaceChildren(target, make("p", { class: "small", text: "A change starts the run again with the same luck and comes back to this week; for an event to come it goes on." }), ...groups);
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
  if (c.kind === "bundles" || c.kind === "events") {
    label.removeAttribute("for"); // it names a list, not a field
    node.append(list(c, name, clear));
  } else if (c.kind === "choice") {
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

// What may be chosen many times over: clusters of tasks, and events, each of these with its week.
function list(c, name, clear) {
  const items = c.options.map(([key, text, summary]) => {
    const box = make("input", { type: "checkbox", value: key, "data-focus": `${c.key} ${key}`, onchange: (e) => {
      clear();
      const models = targets(c), on = e.target.checked;
      if (c.kind === "events") ask("event", { key: c.key, event: key, week: on ? Math.min(room.week, room.scene.weeks - 1) : null, models });
      else ask("bundle", { key: c.key, mission: c.name, bundle: key, on, models });
    } });
    const week = c.kind === "events" ? make("input", { type: "number", min: 0, step: 1, hidden: true, "aria-label": `Week of ${text}`,
      "data-focus": `${c.key} ${key} w`, onchange: (e) => { clear(); if (e.target.value !== "") ask("event", { key: c.key, event: key, week: Number(e.target.value), models: targets(c).filter((i) => key in c.values[i]) }); } }) : null;
    return make("li", { title: summary }, make("label", {}, box, ` ${text}`), week);
  });
  return make("ul", { class: "several", "aria-label": name }, ...items);
}

function plain(v) {
  return Math.abs(v) >= 1e6 ? v.toLocaleString("en", { notation: "compact" }) : v.toLocaleString("en");
}

// Put the values of the scene into the controls.
export function values() {
  for (const g of room.scene.controls) for (const c of g.controls) {
    const node = document.querySelector(`.control[data-key="${CSS.escape(c.key)}"]`);
    if (!node) continue;
    const which = targets(c), mine = which.map((i) => c.values[i]), same = mine.every((v) => v === mine[0]);
    const shown = node.querySelector(".now");
    const off = c.off && which.every((i) => c.off[i]);
    node.classList.toggle("off", !!off);
    if (c.kind === "bundles" || c.kind === "events") {
      for (const box of node.querySelectorAll("input[type=checkbox]")) {
        const has = mine.map((v) => (c.kind === "events" ? box.value in v : v.includes(box.value)));
        box.checked = has.every(Boolean);
        box.disabled = !!c.own && which.some((i) => c.values[i].includes(box.value) && !c.own[i].includes(box.value)); // of the mandate itself
        box.indeterminate = !box.checked && has.some(Boolean);
        const week = box.closest("li").querySelector("input[type=number]");
        if (!week) continue;
        const weeks = mine.map((v) => v[box.value]);
        week.hidden = !has.some(Boolean);
        week.value = weeks.every((w) => w === weeks[0]) ? weeks[0] ?? "" : "";
        week.placeholder = "differs";
      }
      shown.textContent = c.costs ? [...new Set(which.map((i) => c.costs[i]))].filter(Boolean).join(" / ") : "";
    } else if (c.kind === "choice") {
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
