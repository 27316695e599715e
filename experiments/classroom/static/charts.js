// The timeline with the missions' phases, and the outcomes as they unfold.

import { scaled } from "./map.js";

const LETTERS = "ABC";
const DASHES = [[], [7, 4], [2, 3]];
const FONT = 'system-ui, "DejaVu Sans", sans-serif';

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

// A line for each model, its letter at the end.
export function chart(canvas, headline, series, colours, weeks) {
  const [ctx, w, h] = fitted(canvas);
  if (!w) return;
  const share = headline.how === "mean", z = scaled();
  const left = 50 * z, right = w - 20 * z, top = 22 * z, bottom = h - 5 * z;
  let most = share ? 1 : 10;
  if (!share) for (const line of series) for (const v of line) if (v > most) most = v;
  const nice = share ? 1 : [1, 2, 2.5, 5, 10].map((k) => k * 10 ** Math.floor(Math.log10(most))).find((v) => v >= most);
  const x = (k) => left + ((right - left) * k) / weeks, y = (v) => bottom - ((bottom - top) * v) / nice;
  ctx.font = `600 ${13 * z}px ${FONT}`;
  ctx.textAlign = "left";
  ctx.fillStyle = "#222";
  ctx.fillText(headline.label, 4, 14 * z);
  const named = ctx.measureText(headline.label).width;
  ctx.font = `${12 * z}px ${FONT}`;
  ctx.fillStyle = "#5f5f5f";
  const unit = share ? "past year" : headline.how === "last" ? "now" : "so far";
  if (named + 64 * z < w) ctx.fillText(unit, named + 10, 14 * z);
  ctx.strokeStyle = "#ddd9d0";
  ctx.lineWidth = 1;
  for (const v of [0, nice / 2, nice]) {
    ctx.beginPath();
    ctx.moveTo(left, y(v));
    ctx.lineTo(right, y(v));
    ctx.stroke();
    ctx.textAlign = "right";
    ctx.fillText(share ? `${v * 100}%` : short(v), left - 5, y(v) + (v ? 4 : 1) * z);
    ctx.textAlign = "left";
  }
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
    const last = line[line.length - 1];
    if (last !== null && last !== undefined) ends.push({ i, x: x(line.length), y: y(last) });
  });
  ends.sort((a, b) => a.y - b.y);
  ends.forEach((e, k) => {
    e.at = Math.max(top + 4, e.y);
    if (k && e.at < ends[k - 1].at + 13 * z) e.at = ends[k - 1].at + 13 * z;
  });
  for (let k = ends.length - 1, floor = bottom - 2 * z; k >= 0; k--, floor = ends[k + 1].at - 13 * z) ends[k].at = Math.min(ends[k].at, floor);
  ctx.font = `bold ${14 * z}px ${FONT}`;
  ctx.lineWidth = 3;
  for (const e of ends) {
    ctx.strokeStyle = "#fff";
    ctx.strokeText(LETTERS[e.i], e.x + 4 * z, e.at + 5 * z);
    ctx.fillStyle = "#222";
    ctx.fillText(LETTERS[e.i], e.x + 4 * z, e.at + 5 * z);
  }
}

const SIGNS = { agreement: "✓", collapse: "✗", consent: "!" };
const SILENT = new Set(["", "gone", "does not come"]); // phases that the empty lane says

function written(ctx, text, x, y) {
  ctx.lineWidth = 3;
  ctx.strokeStyle = "#ffffffcc";
  ctx.lineJoin = "round";
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}

// For each model a lane for each mission: pale as planned, the line as it was, its phases in words where there is room.
export function timeline(canvas, scene, history, week) {
  const z = scaled(), foot = 17 * z;
  const high = scene.actors.map((a) => Math.max(20, 11.5 * a.missions.length) * z);
  const total = high.reduce((sum, h) => sum + h + 3, 0) + foot;
  if (canvas.style.height !== `${total}px`) canvas.style.height = `${total}px`;
  const [ctx, w, h] = fitted(canvas);
  if (!w) return;
  const left = 8, right = w - 8; // as the slider's thumb goes
  const x = (k) => left + ((right - left) * k) / scene.weeks;
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
    ctx.fillStyle = "#222";
    (past?.agreement || []).forEach((on, k) => on && ctx.fillRect(x(k), top + high[i] - 1, x(k + 1) - x(k) + 0.5, 3));
    ctx.font = `${Math.min(12, lane / z) * z}px ${FONT}`;
    ctx.textAlign = "left";
    const signs = (past?.log || []).filter((e) => SIGNS[e.kind]);
    actor.missions.forEach((mission, m) => {
      const spans = (past?.phases[m] || []).filter(([, , phase]) => !SILENT.has(phase));
      let free = left + 24 * z;
      spans.forEach(([from, to, phase], k) => {
        const full = k ? phase : `${mission.name}: ${phase}`;
        let begin = Math.max(x(from) + 4, free);
        for (const e of signs) if (Math.abs(x(e.week) - begin - ctx.measureText(full).width / 2) < ctx.measureText(full).width / 2 + 6) begin = x(e.week) + 8;
        const fits = (text) => begin + ctx.measureText(text).width <= x(to) - 2;
        const text = fits(full) ? full : k ? "" : mission.name;
        if (!text) return;
        const at = Math.min(begin, right - ctx.measureText(text).width);
        written(ctx, text, at, top + (m + 0.5) * lane + 4 * z);
        free = at + ctx.measureText(text).width + 6;
      });
    });
    if (!actor.missions.length) {
      ctx.fillStyle = "#5f5f5f";
      ctx.fillText("no mission", left + 28 * z, top + 14 * z);
      ctx.fillStyle = "#222";
    }
    ctx.font = `bold ${13 * z}px ${FONT}`;
    ctx.textAlign = "center";
    for (const e of signs) written(ctx, SIGNS[e.kind], x(e.week), top + 14 * z);
    ctx.textAlign = "left";
    ctx.fillStyle = actor.colour;
    ctx.fillRect(left, top, 5, high[i]);
    ctx.fillStyle = "#222";
    written(ctx, LETTERS[i], left + 9, top + high[i] / 2 + 5 * z);
    top += high[i] + 3;
  });
  ctx.font = `${11.5 * z}px ${FONT}`;
  ctx.textAlign = "center";
  const begin = new Date(scene.start + "T00:00:00Z");
  for (let year = begin.getUTCFullYear() + 1; ; year++) {
    const k = (Date.UTC(year, 0, 1) - begin) / (7 * 864e5);
    if (k > scene.weeks) break;
    ctx.fillStyle = "#00000026";
    ctx.fillRect(x(k), 0, 1, h - foot + 3);
    ctx.fillStyle = "#5f5f5f";
    if (x(k) < right - 16 * z && (scene.weeks < 700 || year % 2 === 0)) ctx.fillText(year, x(k), h - 3);
  }
  ctx.textAlign = "left";
  ctx.fillText(begin.getUTCFullYear(), left, h - 3);
  ctx.fillStyle = "#222";
  ctx.fillRect(x(week) - 1.5, 0, 3, h - foot + 3);
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
