// The outcomes as they unfold, and the timeline with the missions' phases.

import { lettering, scaled } from "./map.js";
import { LETTERS, projected } from "./room.js";

const DASHES = [[], [7, 4], [2, 3]];
const FONT = 'system-ui, "DejaVu Sans", sans-serif';
const INK = "#222", GREY = "#5f5f5f";
const YEAR = 52;

function fitted(canvas) {
  const dpr = window.devicePixelRatio || 1;
  const { clientWidth: w, clientHeight: h } = canvas;
  if (canvas.width !== Math.round(w * dpr) || canvas.height !== Math.round(h * dpr)) {
    canvas.width = Math.round(w * dpr);
    canvas.height = Math.round(h * dpr);
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  ctx.clearRect(0, 0, w, h);
  return [ctx, w, h];
}

function short(v) {
  return v >= 1e5 ? `${v / 1e6} m` : v.toLocaleString("en");
}

export function spoken(headline, value) {
  if (value === null || value === undefined) return "–";
  if (headline.how === "mean") return `${Math.round(value * 100)}%`;
  if (headline.name === "cost") return `$${(value / 1e9).toFixed(2)} bn`;
  return value >= 1e6 ? `${(value / 1e6).toFixed(2)} m` : Math.round(value).toLocaleString("en");
}

// A chart for those who hear the page: the value at the end of each year and now.
export function valuesOf(headline, series, scene) {
  const models = series.map((line, i) => {
    const at = [];
    for (let k = YEAR; k < line.length; k += YEAR) at.push(`week ${k} ${spoken(headline, line[k - 1])}`);
    at.push(`now ${line.length ? spoken(headline, line[line.length - 1]) : "nothing yet"}`);
    return `${LETTERS[i]}, ${scene.actors[i].title}: ${at.join(", ")}`;
  });
  return `${headline.label} (${headline.unit}). ${models.join(". ")}.`;
}

// A line for each model, its letter at the end; from the first week to `until`.
export function chart(canvas, headline, series, colours, until) {
  const [ctx, w, h] = fitted(canvas);
  if (!w) return;
  const share = headline.how === "mean", z = scaled(), size = lettering(12), bold = `600 ${lettering(13)}px ${FONT}`;
  let most = share ? 1 : 10;
  if (!share) for (const line of series) for (const v of line) if (v > most) most = v;
  const nice = share ? 1 : [1, 2, 2.5, 5, 10].map((k) => k * 10 ** Math.floor(Math.log10(most))).find((v) => v >= most);
  const marks = [0, nice / 2, nice].map((v) => [v, share ? `${v * 100}%` : short(v)]);
  ctx.font = `${size}px ${FONT}`;
  const left = Math.max(...marks.map(([, text]) => ctx.measureText(text).width)) + 6 * z;
  const right = w - 1.3 * size - 4, top = 1.75 * size + 2, bottom = h - 1.25 * size;
  const x = (k) => left + ((right - left) * k) / until, y = (v) => bottom - ((bottom - top) * v) / nice;
  ctx.font = bold;
  ctx.textAlign = "left";
  ctx.fillStyle = INK;
  ctx.fillText(headline.label, 2, size + 1);
  const named = ctx.measureText(headline.label).width;
  ctx.font = `${size}px ${FONT}`;
  ctx.fillStyle = GREY;
  const unit = share ? "past year" : headline.how === "last" ? "now" : "so far";
  if (named + ctx.measureText(unit).width + 14 < w) ctx.fillText(unit, named + 10, size + 1);
  ctx.strokeStyle = "#ddd9d0";
  ctx.lineWidth = 1;
  const few = bottom - top < 2.6 * size; // room for the ends of the axis alone
  for (const [v, text] of marks) {
    ctx.beginPath();
    ctx.moveTo(left, y(v));
    ctx.lineTo(right, y(v));
    ctx.stroke();
    ctx.textAlign = "right";
    if (!few || v !== nice / 2) ctx.fillText(text, left - 4 * z, y(v) + 0.35 * size);
  }
  const last = `week ${until}`, wide = ctx.measureText(last).width;
  ctx.fillText(last, right, h - 2);
  ctx.textAlign = "left";
  if (ctx.measureText("0").width + wide + 8 < right - left) ctx.fillText("0", left, h - 2);
  const ends = [];
  series.forEach((line, i) => {
    ctx.strokeStyle = colours[i];
    ctx.lineWidth = 2.6 * z;
    ctx.setLineDash(DASHES[i]);
    ctx.beginPath();
    let open = false;
    for (let k = 0; k < line.length; k++) {
      if (line[k] === null) {
        open = false;
        continue;
      }
      ctx[open ? "lineTo" : "moveTo"](x(k + 1), y(line[k]));
      open = true;
    }
    ctx.stroke();
    ctx.setLineDash([]);
    const end = line[line.length - 1];
    if (end !== null && end !== undefined) ends.push({ i, x: x(line.length), y: y(end) });
  });
  // The letters of lines that end together stand one above the other; where there is no room for that, side by side.
  const letter = lettering(14), step = 0.95 * letter;
  ends.sort((a, b) => a.y - b.y);
  const stacked = (ends.length - 1) * step < bottom - top;
  ends.forEach((e, k) => {
    e.at = Math.max(top, e.y);
    if (stacked && k && e.at < ends[k - 1].at + step) e.at = ends[k - 1].at + step;
  });
  if (stacked) for (let k = ends.length - 1, floor = bottom; k >= 0; k--, floor = ends[k + 1].at - step) ends[k].at = Math.min(ends[k].at, floor);
  ctx.font = `bold ${letter}px ${FONT}`;
  ctx.lineWidth = 3;
  ends.forEach((e, k) => {
    const at = Math.min(e.x + 4 * z, w - letter) - (stacked ? 0 : k * letter);
    ctx.strokeStyle = "#fff";
    ctx.strokeText(LETTERS[e.i], at, e.at + 0.35 * letter);
    ctx.fillStyle = INK;
    ctx.fillText(LETTERS[e.i], at, e.at + 0.35 * letter);
  });
}

const SIGNS = { agreement: "✓", collapse: "✗", consent: "!" };
const SILENT = new Set(["", "gone", "does not come"]); // phases that the empty lane says
const ROOMY = 4; // lanes that can be tall enough for words

// Writes texts that never lie over one another: what comes first stays.
class Scribe {
  constructor(ctx) {
    this.ctx = ctx;
    this.taken = [];
  }

  // Write a text with its left end at the first of some places that is free; say whether there was one.
  write(text, places, y, size, colour = INK) {
    const width = this.ctx.measureText(text).width;
    for (const x of places) {
      const box = [x - 2, y - 0.8 * size, x + width + 2, y + 0.25 * size];
      if (this.taken.some((t) => box[0] < t[2] && t[0] < box[2] && box[1] < t[3] && t[1] < box[3])) continue;
      this.taken.push(box);
      this.ctx.lineWidth = 3;
      this.ctx.strokeStyle = "#ffffffcc";
      this.ctx.lineJoin = "round";
      this.ctx.strokeText(text, x, y);
      this.ctx.fillStyle = colour;
      this.ctx.fillText(text, x, y);
      return true;
    }
    return false;
  }
}

// For each model a lane for each mission: pale as planned, the line as it was, its phases in words where there is room.
export function timeline(canvas, scene, history, week) {
  const z = scaled(), foot = lettering(11.5) * 1.4;
  const lanes = scene.actors.reduce((sum, a) => sum + Math.max(1, a.missions.length), 0), roomy = lanes <= ROOMY;
  const low = projected(); // where the charts have the letters, and the maps the room
  const high = scene.actors.map((a) => (low ? 7 * z * Math.max(2, a.missions.length) : Math.max(20 * z, (roomy ? 15 : lanes > 6 ? 7 : 9) * z * a.missions.length)));
  const total = high.reduce((sum, h) => sum + h + 3, 0) + foot;
  if (canvas.style.height !== `${total}px`) canvas.style.height = `${total}px`;
  const [ctx, w, h] = fitted(canvas);
  if (!w) return;
  const left = 8, right = w - 8; // as the slider's thumb goes
  const x = (k) => left + ((right - left) * k) / scene.weeks;
  const scribe = new Scribe(ctx);
  let top = 0;
  scene.actors.forEach((actor, i) => {
    const past = history.actors[i], lane = high[i] / Math.max(1, actor.missions.length);
    ctx.fillStyle = "#f4f1ea";
    ctx.fillRect(left, top, right - left, high[i]);
    actor.missions.forEach((mission, m) => {
      const low = top + (m + 1) * lane, y = (share) => low - Math.min(1, share || 0) * (lane - 1);
      ctx.fillStyle = mission.helmet + "66";
      ctx.beginPath();
      ctx.moveTo(left, low);
      mission.plan.forEach((share, k) => ctx.lineTo(x(k + 0.5), y(share)));
      ctx.lineTo(right, low);
      ctx.fill();
      ctx.strokeStyle = mission.helmet;
      ctx.lineWidth = 2 * z;
      ctx.beginPath();
      (past?.strength[m] || []).forEach((share, k) => ctx[k ? "lineTo" : "moveTo"](x(k + 0.5), y(share)));
      ctx.stroke();
    });
    ctx.fillStyle = INK;
    (past?.agreement || []).forEach((on, k) => on && ctx.fillRect(x(k), top + high[i] - 1, x(k + 1) - x(k) + 0.5, 3));
    ctx.fillStyle = actor.colour;
    ctx.fillRect(left, top, 5, high[i]);
    const size = lettering(13);
    ctx.textAlign = "left";
    ctx.font = `bold ${size}px ${FONT}`;
    if (!low) scribe.write(LETTERS[i], [left + 9], top + high[i] / 2 + 0.36 * size, size);
    for (const e of past?.log || []) {
      const sign = SIGNS[e.kind], at = sign && x(e.week) - ctx.measureText(sign).width / 2;
      if (sign) scribe.write(sign, [at, at + size, at + 2 * size], top + size, size);
    }
    if (roomy && !low) words(scribe, actor, past, x, top, lane, left + 26 * z, right);
    top += high[i] + 3;
  });
  const size = lettering(11.5);
  ctx.font = `${size}px ${FONT}`;
  const begin = new Date(scene.start + "T00:00:00Z");
  scribe.write(String(begin.getUTCFullYear()), [left], h - 3, size, GREY);
  for (let year = begin.getUTCFullYear() + 1; ; year++) {
    const k = (Date.UTC(year, 0, 1) - begin) / (7 * 864e5), half = ctx.measureText(year).width / 2;
    if (k > scene.weeks) break;
    ctx.fillStyle = "#00000026";
    ctx.fillRect(x(k), 0, 1, h - foot + 3);
    if (x(k) + half < w) scribe.write(String(year), [x(k) - half], h - 3, size, GREY);
  }
  ctx.fillStyle = INK;
  ctx.fillRect(x(week) - 1.5, 0, 3, h - foot + 3);
}

// The name of each mission and its phases, each where its span has room.
function words(scribe, actor, past, x, top, lane, from, right) {
  const size = Math.min(lettering(11.5), 0.8 * lane), { ctx } = scribe;
  ctx.font = `${size}px ${FONT}`;
  actor.missions.forEach((mission, m) => {
    const y = top + (m + 0.5) * lane + 0.36 * size;
    const spans = (past?.phases[m] || []).filter(([, , phase]) => !SILENT.has(phase));
    if (!spans.length) scribe.write(mission.name, [from], y, size, GREY);
    spans.forEach(([begin, end, phase], k) => {
      const first = Math.max(from, x(begin) + 4);
      for (const text of k ? [phase] : [`${mission.name}: ${phase}`, mission.name]) {
        const width = ctx.measureText(text).width, most = k || text !== mission.name ? x(end) : right;
        const places = [0, 16, 32, 48].map((d) => first + d).filter((at) => at + width < most - 2);
        if (scribe.write(text, places, y, size)) return;
      }
    });
  });
  if (!actor.missions.length) scribe.write("no mission", [from], top + 0.5 * lane + 0.36 * size, size, GREY);
}

// What the missions of all models are doing in a week, for a tooltip and for those who hear the page.
export function phasesAt(scene, history, week) {
  const models = scene.actors.map((actor, i) => {
    const said = actor.missions.map((mission, m) => {
      const span = history.actors[i]?.phases[m]?.find(([from, to]) => from <= week && week < to);
      return `${mission.name} ${span?.[2] || "not there yet"}`;
    });
    return `${LETTERS[i]}: ${said.join(", ") || "no mission"}`;
  });
  return `Week ${week}. ${models.join(". ")}.`;
}
