// The timeline with the missions' phases, and the outcomes as they unfold.

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
  const share = headline.how === "mean";
  const left = 50, right = w - 20, top = 22, bottom = h - 4;
  let most = share ? 1 : 10;
  if (!share) for (const line of series) for (const v of line) if (v > most) most = v;
  const nice = share ? 1 : [1, 2, 2.5, 5, 10].map((k) => k * 10 ** Math.floor(Math.log10(most))).find((v) => v >= most);
  const x = (k) => left + ((right - left) * k) / weeks, y = (v) => bottom - ((bottom - top) * v) / nice;
  ctx.font = `600 13px ${FONT}`;
  ctx.textAlign = "left";
  ctx.fillStyle = "#222";
  ctx.fillText(headline.label, 4, 14);
  const named = ctx.measureText(headline.label).width;
  ctx.font = `12px ${FONT}`;
  ctx.fillStyle = "#5f5f5f";
  const unit = share ? "past year" : headline.how === "last" ? "now" : "so far";
  if (named + 64 < w) ctx.fillText(unit, named + 10, 14);
  ctx.strokeStyle = "#ddd9d0";
  ctx.lineWidth = 1;
  for (const v of [0, nice / 2, nice]) {
    ctx.beginPath();
    ctx.moveTo(left, y(v));
    ctx.lineTo(right, y(v));
    ctx.stroke();
    ctx.textAlign = "right";
    ctx.fillText(share ? `${v * 100}%` : short(v), left - 5, y(v) + (v ? 4 : 1));
    ctx.textAlign = "left";
  }
  const ends = [];
  series.forEach((line, i) => {
    ctx.strokeStyle = colours[i];
    ctx.lineWidth = 2.6;
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
    if (k && e.at < ends[k - 1].at + 13) e.at = ends[k - 1].at + 13;
  });
  for (let k = ends.length - 1, floor = bottom + 1; k >= 0; k--, floor = ends[k + 1].at - 13) ends[k].at = Math.min(ends[k].at, floor);
  ctx.font = `bold 14px ${FONT}`;
  ctx.lineWidth = 3;
  for (const e of ends) {
    ctx.strokeStyle = "#fff";
    ctx.strokeText(LETTERS[e.i], e.x + 4, e.at + 4);
    ctx.fillStyle = "#222";
    ctx.fillText(LETTERS[e.i], e.x + 4, e.at + 4);
  }
}

const SIGNS = { agreement: "✓", collapse: "✗", consent: "!" };

export function timeline(canvas, scene, history, week) {
  const rows = scene.actors.length, high = rows > 2 ? 19 : 22;
  canvas.style.height = `${rows * (high + 3) + 17}px`;
  const [ctx, w, h] = fitted(canvas);
  if (!w) return;
  const left = 8, right = w - 8; // as the slider's thumb goes
  const x = (k) => left + ((right - left) * k) / scene.weeks;
  ctx.font = `11.5px ${FONT}`;
  scene.actors.forEach((actor, i) => {
    const top = i * (high + 3);
    ctx.fillStyle = "#f4f1ea";
    ctx.fillRect(left, top, right - left, high);
    const lane = high / Math.max(1, actor.missions.length);
    actor.missions.forEach((mission, m) => {
      const low = top + (m + 1) * lane;
      ctx.fillStyle = mission.helmet + "66";
      ctx.beginPath();
      ctx.moveTo(left, low);
      mission.plan.forEach((share, k) => ctx.lineTo(x(k + 0.5), low - Math.min(1, share || 0) * (lane - 1)));
      ctx.lineTo(right, low);
      ctx.fill();
      const strength = history.actors[i]?.strength[m] || [];
      ctx.strokeStyle = mission.helmet;
      ctx.lineWidth = 2;
      ctx.beginPath();
      strength.forEach((share, k) => ctx[k ? "lineTo" : "moveTo"](x(k + 0.5), low - Math.min(1, share || 0) * (lane - 1)));
      ctx.stroke();
      const from = Math.max(0, mission.arrive);
      if (from < scene.weeks && lane >= 9) {
        ctx.fillStyle = "#222";
        ctx.textAlign = "left";
        ctx.fillText(mission.name, Math.min(x(from) + 4, right - ctx.measureText(mission.name).width), low - (lane - 9) / 2);
      }
    });
    if (!actor.missions.length) {
      ctx.fillStyle = "#5f5f5f";
      ctx.fillText("no mission", left + 28, top + 15);
    }
    ctx.fillStyle = "#222";
    (history.actors[i]?.agreement || []).forEach((on, k) => on && ctx.fillRect(x(k), top + high - 1, x(k + 1) - x(k) + 0.5, 3));
    ctx.font = `bold 13px ${FONT}`;
    for (const e of history.actors[i]?.log || []) {
      if (!SIGNS[e.kind]) continue;
      ctx.lineWidth = 3;
      ctx.strokeStyle = "#fff";
      ctx.textAlign = "center";
      ctx.strokeText(SIGNS[e.kind], x(e.week), top + 13);
      ctx.fillText(SIGNS[e.kind], x(e.week), top + 13);
    }
    ctx.textAlign = "left";
    ctx.fillStyle = actor.colour;
    ctx.fillRect(left, top, 5, high);
    ctx.fillStyle = "#222";
    ctx.fillText(LETTERS[i], left + 9, top + 15);
    ctx.font = `11.5px ${FONT}`;
  });
  ctx.fillStyle = "#5f5f5f";
  ctx.textAlign = "center";
  const begin = new Date(scene.start + "T00:00:00Z");
  for (let year = begin.getUTCFullYear() + 1; ; year++) {
    const k = (Date.UTC(year, 0, 1) - begin) / (7 * 864e5);
    if (k > scene.weeks) break;
    ctx.fillStyle = "#00000026";
    ctx.fillRect(x(k), 0, 1, h - 14);
    ctx.fillStyle = "#5f5f5f";
    if (x(k) < right - 16 && (scene.weeks < 700 || year % 2 === 0)) ctx.fillText(year, x(k), h - 3);
  }
  ctx.textAlign = "left";
  ctx.fillText(begin.getUTCFullYear(), left, h - 3);
  ctx.fillStyle = "#222";
  ctx.fillRect(x(week) - 1.5, 0, 3, h - 14);
}
