// The page: what the server says is drawn, what the visitor does is asked of the server. The link holds the whole state.

import { phasesAt } from "./charts.js";
import { announce, entries, forgetNews } from "./log.js";
import { layOut, legend, resized, show } from "./panels.js";
import { $, ask, connect, make, projected, room, say, sentence, wrong } from "./room.js";
import { settings, values } from "./settings.js";
import { furnish, making } from "./take.js";
import { described, forget } from "./who.js";

// ------------------------------------------------------------------------------ what the server says

const hear = {
  ...making,
  described,
  full: (m) => wrong(m.text, 0),
  welcome(m) {
    const first = !room.welcome;
    room.welcome = m;
    $("about").textContent = m.about;
    if (first) furnish();
    // All in one message, so that nothing comes before the scene that it is about.
    const query = location.search.slice(1);
    ask("scene", { ...(/(^|&)[abc]=/.test(query) ? { link: query } : { models: m.cards[1].models }), speed: room.speed });
  },
  scene(m) {
    room.scene = m;
    room.layer = m.layer;
    room.week = m.week;
    room.frame = null;
    $("when").textContent = "…"; // until its week is there
    $("jump").max = $("week").max = m.weeks;
    document.title = `${m.country.name}: peacekeeping classroom`;
    if (Number(room.target) >= m.actors.length) room.target = "all";
    layOut();
    legend(setLayer);
    settings();
    cards();
    address(true); // at once: who loads the page again before the week is there gets what he has just set
  },
  history(m) {
    room.history = m;
    entries();
    forgetNews();
  },
  frame(m) {
    const { history, scene, welcome } = room, jumped = m.week !== room.week + 1;
    room.frame = m;
    room.week = m.week;
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
    announce(m.actors.map((a) => a.log));
    requestAnimationFrame(() => {
      show();
      playing();
      address(!room.playing);
      ask("drawn");
    });
  },
  busy(m) {
    say(`On the way to week ${m.goal}: week ${m.week} …`);
    $("jump").value = m.goal;
  },
  state(m) {
    room.playing = m.playing;
    room.speed = m.speed;
    playing();
    $("speed").textContent = `${m.speed} week${m.speed > 1 ? "s" : ""}/s`;
    $("slower").disabled = m.speed === room.welcome.speeds[0];
    $("faster").disabled = m.speed === room.welcome.speeds[room.welcome.speeds.length - 1];
    address(true);
  },
  wrong(m) {
    const at = m.key && document.querySelector(`.control[data-key="${CSS.escape(m.key)}"]`);
    if (at) {
      at.querySelector(".error")?.remove();
      at.append(make("p", { class: "error", role: "alert", text: sentence(m.text) }));
    } else wrong(m.text);
    if (!room.scene) return;
    if (m.key) values();
    $("week").value = room.week;
    room.panels.forEach((p, i) => (p.select.value = room.scene.actors[i].mission));
  },
};

function playing() {
  const over = !room.playing && room.frame?.finished;
  $("play").textContent = room.playing ? "❚❚ Pause" : over ? "↻ Again" : "▶ Play";
  $("play").title = over ? "This was the last week: play from the start (space)" : "Play or pause (space)";
  $("play").setAttribute("aria-pressed", room.playing);
  $("step").disabled = !!room.frame?.finished;
  if (over) say("The last week.");
}

let addressed = 0;
function address(now) {
  if (!room.scene || (!now && Date.now() - addressed < 1000)) return;
  addressed = Date.now();
  const query = new URLSearchParams(room.scene.link);
  query.set("week", room.week);
  query.set("layer", room.layer);
  window.history.replaceState(null, "", `?${query}`);
  $("link").value = location.href;
  $("commands").value = room.scene.commands.join("\n");
  $("row").textContent = room.week;
}

function setLayer(layer) {
  room.layer = layer;
  ask("layer", { layer });
  legend(setLayer);
}

function cards() {
  const here = JSON.stringify(room.scene.models);
  $("start").replaceChildren(...room.welcome.cards.map((c) => make("button", { class: "card", "aria-pressed": JSON.stringify(c.models) === here,
    onclick: () => {
      forget();
      ask("pause");
      ask("scene", { models: c.models, layer: room.layer });
    } }, make("b", { text: c.title }), `${c.text} `, make("i", { text: c.look_for }))));
}

// ------------------------------------------------------------------------------ what the visitor does

let byItself = true; // the projector mode comes with Play, until the visitor has put it away

function playOrPause() {
  if (!room.playing && byItself && window.innerWidth > 1000) project(true);
  ask(room.playing ? "pause" : "play");
}

function project(on) {
  document.body.classList.toggle("projector", on);
  show();
  resized();
}

function go(week) {
  if (Number.isInteger(week) && room.scene) ask("go", { week });
}

function step() {
  if (room.playing) ask("pause");
  go(Math.min(room.week + 1, room.scene.weeks));
}

function faster(by) {
  const { speeds } = room.welcome, speed = speeds[speeds.indexOf(room.speed) + by];
  if (speed) ask("speed", { speed });
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

function toggleProjector() {
  byItself = !projected();
  project(byItself);
}

$("play").addEventListener("click", playOrPause);
$("step").addEventListener("click", step);
$("first").addEventListener("click", () => {
  ask("pause");
  go(0);
});
$("slower").addEventListener("click", () => faster(-1));
$("faster").addEventListener("click", () => faster(1));
$("jump").addEventListener("change", (e) => go(Number(e.target.value)));
$("week").addEventListener("change", (e) => go(e.target.value === "" ? NaN : Number(e.target.value)));
$("jump").addEventListener("pointermove", (e) => {
  const share = (e.offsetX - 8) / ($("jump").clientWidth - 16), week = Math.round(share * (room.scene?.weeks || 0));
  if (room.history && week >= 0 && week <= room.scene.weeks) $("jump").title = phasesAt(room.scene, room.history, week);
});
$("add").addEventListener("click", () => ask("add"));
$("panel").addEventListener("click", () => showPanel(document.body.classList.contains("wide")));
for (const id of ["projector", "leave"]) $(id).addEventListener("click", toggleProjector);
$("help").addEventListener("click", () => $("keys").showModal());
$("log-kind").addEventListener("change", entries);
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
    if (room.followed) forget();
    else if (projected()) toggleProjector();
    $("wrong").hidden = true;
    return;
  }
  if (e.key === "Enter" && at.matches("input[type=number]")) {
    at.blur(); // which enters it; then the keys are the page's again
    return;
  }
  if (at.matches("input, select, textarea")) return;
  const layer = room.welcome?.layers[Number(e.key) - 1];
  if (e.key === " " && !at.matches("button, summary, a")) playOrPause();
  else if (e.key === "ArrowRight") step();
  else if (e.key === "Home") $("first").click();
  else if (e.key === "+" || e.key === "=") faster(1);
  else if (e.key === "-") faster(-1);
  else if (e.key === "f" || e.key === "F") toggleProjector();
  else if (e.key === "?") $("keys").showModal();
  else if (layer) setLayer(layer.key);
  else return;
  e.preventDefault();
});
window.addEventListener("resize", resized);
if (window.matchMedia("(min-width: 901px) and (max-width: 1100px)").matches) showPanel(false);
openTab("start");
connect(hear);
