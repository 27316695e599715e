// What all parts of the page share: its state, the socket to the server, and small helpers.

export const $ = (id) => document.getElementById(id);
export const LETTERS = "ABC";

// What the server said last (welcome, scene, history, frame), the panels that show it, and what the visitor has chosen.
export const room = {
  welcome: null, scene: null, history: null, frame: null, panels: [],
  playing: false, speed: 4, layer: "violence", week: 0, target: "all", followed: null, wanted: "",
};

export function make(tag, attributes = {}, ...children) {
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

export function sentence(text) {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

export function projected() {
  return document.body.classList.contains("projector");
}

// ------------------------------------------------------------------------------ the server

let socket = null, again = 500;

export function connect(hear) {
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
    setTimeout(() => connect(hear), (again = Math.min(again * 2, 8000)));
  };
}

export function ask(what, more = {}) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ do: what, ...more }));
}

// ------------------------------------------------------------------------------ what is said to the visitor

export function say(text) {
  if ($("status").textContent !== text) $("status").textContent = text;
}

let hiding = 0;
export function wrong(text, seconds = 8) {
  $("wrong").textContent = sentence(text);
  $("wrong").hidden = false;
  clearTimeout(hiding);
  if (seconds) hiding = setTimeout(() => ($("wrong").hidden = true), seconds * 1000);
}
