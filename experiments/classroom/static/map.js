// One country: shade, people, bands, contingents; and what lies under a finger.

import { projected } from "./room.js";

const DOTS = 700; // places in a cell, then dots cover each other
const CORNERS = {
  square: [[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]],
  up: [[0, -1], [0.95, 0.8], [-0.95, 0.8]],
  down: [[0, 1], [0.95, -0.8], [-0.95, -0.8]],
  left: [[-1, 0], [0.8, -0.95], [0.8, 0.95]],
  right: [[1, 0], [-0.8, -0.95], [-0.8, 0.95]],
  diamond: [[0, -1.1], [1.1, 0], [0, 1.1], [-1.1, 0]],
  pentagon: [0, 1, 2, 3, 4].map((k) => [Math.sin((2 * Math.PI * k) / 5), -Math.cos((2 * Math.PI * k) / 5)]),
  cross: [[-1, -3], [1, -3], [1, -1], [3, -1], [3, 1], [1, 1], [1, 3], [-1, 3], [-1, 1], [-3, 1], [-3, -1], [-1, -1]].map(
    ([x, y]) => [x / 3, y / 3]),
};

export function rgb(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

const STRIPES = { // across a helmet, in units of its radius; as in painter.py
  bar: [[-1, -0.22], [1, -0.22], [1, 0.22], [-1, 0.22]],
  post: [[-0.22, -1], [0.22, -1], [0.22, 1], [-0.22, 1]],
  slash: [[-0.86, 0.55], [0.55, -0.86], [0.86, -0.55], [-0.55, 0.86]],
  backslash: [[0.86, 0.55], [-0.55, -0.86], [-0.86, -0.55], [0.55, 0.86]],
  half: [[-1, 0.1], [1, 0.1], [1, 1], [-1, 1]],
  side: [[-1, -1], [-0.1, -1], [-0.1, 1], [-1, 1]],
  cap: [[-1, -1], [1, -1], [1, -0.3], [-1, -0.3]],
};

function outline(corners, x, y, r) {
  const path = new Path2D();
  corners.forEach(([dx, dy], i) => path[i ? "lineTo" : "moveTo"](x + dx * r, y + dy * r));
  path.closePath();
  return path;
}

export function mark(ctx, shape, colour, x, y, r, hollow, stripe) {
  const path = shape === "circle" ? new Path2D() : outline(CORNERS[shape], x, y, r);
  if (shape === "circle") path.arc(x, y, r, 0, 7);
  ctx.lineWidth = 3;
  ctx.strokeStyle = "#fff";
  ctx.stroke(path);
  ctx.fillStyle = colour;
  ctx.fill(path);
  ctx.fillStyle = "#fff";
  if (stripe) {
    ctx.save();
    ctx.clip(path);
    if (Math.min(...rgb(colour)) > 130) ctx.fillStyle = "#222"; // white cannot be seen on a pale helmet
    ctx.fill(outline(STRIPES[stripe], x, y, r));
    ctx.restore();
  }
  if (hollow) {
    ctx.beginPath();
    ctx.arc(x, y, r * 0.45, 0, 7);
    ctx.fill();
  }
}

// A mark as a small picture, drawn once: there are hundreds in every week.
const stamps = new Map();
function stamp(dpr, shape, colour, r, hollow, stripe) {
  const key = [dpr, shape, colour, r, hollow, stripe].join();
  if (!stamps.has(key)) {
    const half = Math.ceil(1.2 * r) + 3, canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.ceil(2 * half * dpr);
    const ctx = canvas.getContext("2d");
    ctx.scale(dpr, dpr);
    mark(ctx, shape, colour, half, half, r, hollow, stripe);
    stamps.set(key, { canvas, half });
  }
  return stamps.get(key);
}

// How much larger all is drawn than on a screen of 1280 x 720: as the type of the page is.
export function scaled() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

// The size of letters that are so large there; on a projector all can be read from the last row.
export function lettering(px) {
  return Math.max(px, projected() ? 18 : 0) * scaled();
}

export function decoded(text, kind) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return kind === 16 ? new Uint16Array(bytes.buffer) : bytes;
}

// A place in a cell for its nth dot: scattered, and the same in every week.
function scatter(cell, n) {
  let h = Math.imul(cell + 1, 2654435761) ^ Math.imul(n + 1, 40503);
  h = Math.imul(h ^ (h >>> 15), 2246822519);
  h = Math.imul(h ^ (h >>> 13), 3266489917);
  h ^= h >>> 16;
  return [(h & 0xffff) / 0x10000, (h >>> 16) / 0x10000];
}

export class Country {
  constructor(canvas, look) {
    this.canvas = canvas;
    this.look = look;
    this.people = document.createElement("canvas");
    this.shade = document.createElement("canvas");
    this.cursor = null; // of the keyboard: a cell
    this.marks = [];
  }

  settle(scene, actor) {
    this.land = scene.land;
    this.factions = scene.factions;
    this.missions = [...actor.missions, ...actor.humanitarians];
    this.at = new Map(scene.land.row.map((r, i) => [r * scene.land.cols + scene.land.col[i], i]));
    this.counted = "";
    this.resize();
  }

  resize() {
    const dpr = window.devicePixelRatio || 1;
    const { clientWidth: w, clientHeight: h } = this.canvas;
    if (!w || !h || !this.land) return;
    this.canvas.width = w * dpr;
    this.canvas.height = h * dpr;
    this.dpr = dpr;
    this.px = Math.max(1, Math.min(w / this.land.cols, h / this.land.rows));
    this.x0 = Math.floor(((w - this.px * this.land.cols) / 2) * dpr) / dpr;
    this.y0 = 0;
    this.counted = "";
    if (this.frame) this.draw(this.frame, this.layer);
  }

  corner(cell) {
    return [this.x0 + this.land.col[cell] * this.px, this.y0 + (this.land.rows - 1 - this.land.row[cell]) * this.px];
  }

  draw(frame, layer) {
    this.frame = frame;
    this.layer = layer;
    if (!this.px) return;
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(this.dpr, 0, 0, this.dpr, 0, 0);
    ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.#shade(ctx, frame, layer);
    this.#dots(ctx, frame);
    this.#marks(ctx, frame);
    this.#towns(ctx);
    this.#cursor(ctx);
    if (!frame.layer) this.#note(ctx);
  }

  #shade(ctx, frame, layer) {
    const { rows, cols, row, col } = this.land;
    this.shade.width = cols;
    this.shade.height = rows;
    const inner = this.shade.getContext("2d");
    const picture = inner.createImageData(cols, rows);
    const light = rgb(this.look.ground), dark = rgb(this.look.ramps[layer]);
    const values = frame.layer ? decoded(frame.layer) : null;
    for (let c = 0; c < row.length; c++) {
      const k = ((rows - 1 - row[c]) * cols + col[c]) * 4, v = values ? values[c] / 255 : 0;
      for (let i = 0; i < 3; i++) picture.data[k + i] = light[i] + (dark[i] - light[i]) * v;
      picture.data[k + 3] = 255;
    }
    inner.putImageData(picture, 0, 0);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(this.shade, this.x0, this.y0, cols * this.px, rows * this.px);
  }

  #dots(ctx, frame) {
    const { rows, cols } = this.land;
    const side = this.px * this.dpr, wide = Math.floor(cols * side), high = Math.floor(rows * side);
    const counted = frame.home + frame.away;
    if (counted !== this.counted) {
      this.counted = counted;
      this.counts = [decoded(frame.home, 16), decoded(frame.away, 16)];
      this.people.width = wide;
      this.people.height = high;
      const inner = this.people.getContext("2d");
      const picture = inner.createImageData(wide, high);
      const pixels = new Uint32Array(picture.data.buffer);
      const big = (this.big = side >= 10 ? 3 : side >= 5.5 ? 2 : 1);
      [this.look.civilian, this.look.displaced].forEach((colour, status) => {
        const [r, g, b] = rgb(colour);
        const ink = ((status ? 255 : 235) << 24) | (b << 16) | (g << 8) | r;
        this.counts[status].forEach((n, cell) => {
          const left = this.land.col[cell] * side, top = (rows - 1 - this.land.row[cell]) * side;
          for (let k = 0; k < Math.min(n, DOTS); k++) {
            const [u, v] = scatter(cell, k + status * DOTS);
            const x = Math.min(wide - big, Math.floor(left + u * side)), y = Math.min(high - big, Math.floor(top + v * side));
            for (let dy = 0; dy < big; dy++) pixels.fill(ink, (y + dy) * wide + x, (y + dy) * wide + x + big);
          }
        });
      });
      inner.putImageData(picture, 0, 0);
    }
    ctx.drawImage(this.people, this.x0, this.y0, wide / this.dpr, high / this.dpr);
  }

  // The capital, then the other towns as far as their names have room; not in the middle of a mark of the same cell.
  #towns(ctx) {
    const size = lettering(this.px < 8 * scaled() ? 11 : 12), crowded = this.px < 8 * scaled() && !projected();
    const taken = [], right = this.x0 + this.land.cols * this.px, bottom = this.y0 + this.land.rows * this.px;
    ctx.textAlign = "left";
    for (const town of [...this.land.towns].sort((a, b) => b.capital - a.capital)) {
      if (crowded && !town.capital) continue;
      ctx.font = `${town.capital ? "bold " : ""}${size}px system-ui, "DejaVu Sans", sans-serif`;
      const wide = ctx.measureText(town.name).width, half = this.px / 2;
      const x = this.x0 + (town.col + 0.5) * this.px, y = this.y0 + (this.land.rows - 1 - town.row + 0.5) * this.px;
      const places = [[x - wide / 2, y + half + size], [x - wide / 2, y - half - 3], [x + half + 4, y + size / 3], [x - wide - half - 4, y + size / 3]];
      for (const [given, base] of places) {
        const at = Math.min(Math.max(given, this.x0), Math.max(this.x0, right - wide));
        const box = [at - 2, base - 0.85 * size, at + wide + 2, base + 0.28 * size];
        if (box[1] < 0 || box[3] > Math.max(bottom, this.canvas.clientHeight)) continue;
        if (taken.some((t) => box[0] < t[2] && t[0] < box[2] && box[1] < t[3] && t[1] < box[3])) continue;
        taken.push(box);
        ctx.lineWidth = 3;
        ctx.strokeStyle = "#ffffffdd";
        ctx.lineJoin = "round";
        ctx.strokeText(town.name, at, base);
        ctx.fillStyle = this.look.ink;
        ctx.fillText(town.name, at, base);
        break;
      }
    }
    this.written = taken;
  }

  #marks(ctx, frame) {
    const grow = Math.max(0.75, Math.min(1.3, this.px / 9 / scaled())) * scaled();
    const found = [];
    for (const [index, cell, faction, fighters, fights, paused] of frame.bands) {
      const { shape, colour } = this.factions[faction];
      found.push({ kind: "band", index, cell, shape, colour, r: size(fighters, 4, 9) * grow, hollow: paused, fights });
    }
    for (const [index, cell, mission, persons, team, stopped] of frame.units) {
      const { helmet: colour, stripe } = this.missions[mission];
      found.push(team
        ? { kind: "unit", index, cell, shape: "cross", colour, stripe, r: 6.5 * grow, hollow: stopped }
        : { kind: "unit", index, cell, shape: "circle", colour, stripe, r: size(persons, 5, 10) * grow, hollow: stopped });
    }
    const crowd = new Map();
    for (const m of found) crowd.set(m.cell, [...(crowd.get(m.cell) || []), m]);
    for (const [cell, here] of crowd) {
      const [x, y] = this.corner(cell);
      here.forEach((m, k) => {
        // Those in one cell stand in a ring, so that each can be seen.
        const ring = here.length > 1 ? Math.min(this.px * 0.45, 6) + here.length * 0.4 : 0;
        m.x = x + this.px / 2 + ring * Math.sin((2 * Math.PI * k) / here.length);
        m.y = y + this.px / 2 - ring * Math.cos((2 * Math.PI * k) / here.length);
      });
    }
    found.sort((a, b) => (a.kind === b.kind ? b.r - a.r : a.kind === "band" ? -1 : 1));
    for (const m of found) {
      const { canvas, half } = stamp(this.dpr, m.shape, m.colour, Math.round(2 * m.r) / 2, !!m.hollow, m.stripe || "");
      ctx.drawImage(canvas, m.x - half, m.y - half, canvas.width / this.dpr, canvas.height / this.dpr);
    }
    this.marks = found;
  }

  // A map without shade says why: nobody is there whom one could trust or let through.
  #note(ctx) {
    const size = lettering(12), text = this.layer === "access" ? "no aid team here: no shade" : "no mission here: no shade";
    ctx.font = `${size}px system-ui, "DejaVu Sans", sans-serif`;
    ctx.textAlign = "left";
    const low = this.written.some((t) => t[1] < 1.8 * size && t[0] < this.x0 + ctx.measureText(text).width + 12);
    const y = low ? this.y0 + this.land.rows * this.px - 1.8 * size : 0;
    ctx.fillStyle = "#ffffffe6";
    ctx.fillRect(this.x0, y, ctx.measureText(text).width + 12, 1.8 * size);
    ctx.fillStyle = this.look.ink;
    ctx.fillText(text, this.x0 + 6, y + 1.3 * size);
  }

  #cursor(ctx) {
    for (const [cell, colour] of [[this.cursor, "#ffb000"], [this.flash, "#000"]]) {
      if (cell === null || cell === undefined) continue;
      const [x, y] = this.corner(cell);
      ctx.lineWidth = 3;
      ctx.strokeStyle = colour;
      ctx.strokeRect(x - 3, y - 3, this.px + 6, this.px + 6);
    }
  }

  // What is at a point of the canvas: {kind, index} or, for a civilian, {kind: "somebody", index: cell, status, nth}.
  under(x, y) {
    const marks = [...this.marks].reverse();
    const near = marks.filter((m) => Math.hypot(m.x - x, m.y - y) <= m.r + 2);
    if (near.length) {
      near.sort((a, b) => Math.hypot(a.x - x, a.y - y) - Math.hypot(b.x - x, b.y - y));
      return { kind: near[0].kind, index: near[0].index, cell: near[0].cell };
    }
    const cell = this.cellAt(x, y);
    if (cell === null) return null;
    const [left, top] = this.corner(cell);
    for (const status of [1, 0]) {
      for (let k = 0; this.counts && k < Math.min(this.counts[status][cell], DOTS); k++) {
        const [u, v] = scatter(cell, k + status * DOTS);
        const half = this.big / 2 / this.dpr;
        if (Math.hypot(left + u * this.px + half - x, top + v * this.px + half - y) < half + 1) {
          return { kind: "somebody", index: cell, status, nth: k, cell };
        }
      }
    }
    return { kind: "cell", index: cell, cell };
  }

  cellAt(x, y) {
    const col = Math.floor((x - this.x0) / this.px), row = this.land.rows - 1 - Math.floor((y - this.y0) / this.px);
    if (col < 0 || col >= this.land.cols) return null;
    const cell = this.at.get(row * this.land.cols + col);
    return cell === undefined ? null : cell;
  }

  // All that is in a cell, for those who use the keyboard.
  inCell(cell) {
    const here = this.marks.filter((m) => m.cell === cell).map((m) => ({ kind: m.kind, index: m.index, cell }));
    for (const status of [0, 1]) {
      if (this.counts && this.counts[status][cell]) here.push({ kind: "somebody", index: cell, status, nth: 0, cell });
    }
    return [{ kind: "cell", index: cell, cell }, ...here];
  }

  moveCursor(dx, dy) {
    const { rows, cols, row, col } = this.land;
    if (this.cursor === null) {
      this.cursor = this.at.get(Math.floor(rows / 2) * cols + Math.floor(cols / 2)) ?? 0;
    } else {
      let r = row[this.cursor] + dy, c = col[this.cursor] + dx;
      while (r >= 0 && r < rows && c >= 0 && c < cols) { // over a gap in the country, if there is one
        const next = this.at.get(r * cols + c);
        if (next !== undefined) {
          this.cursor = next;
          break;
        }
        r += dy;
        c += dx;
      }
    }
    if (this.frame) this.draw(this.frame, this.layer);
  }
}

function size(persons, low, high) {
  return Math.max(low, Math.min(high, 3 + Math.sqrt(persons) / 4));
}
