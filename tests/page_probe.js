// What the tests of the page ask of a page. Loaded before the page's own code.

// Every error that is shown is told to the test.
new MutationObserver(() => {
  for (const node of document.querySelectorAll("[role=alert]")) {
    if (node.hidden || !node.textContent || node.told === node.textContent) continue;
    node.told = node.textContent;
    window.errorShown(node.textContent);
  }
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });

// Every text on a canvas is kept, with its rectangle and size in pixels of the page, until the canvas is wiped.
const pen = CanvasRenderingContext2D.prototype, fillText = pen.fillText, clearRect = pen.clearRect;
pen.fillText = function (text, x, y) {
  const m = this.measureText(text), r = this.getTransform().a / (window.devicePixelRatio || 1);
  (this.canvas.texts ||= []).push({
    text: String(text), size: parseFloat(this.font.match(/([.\d]+)px/)[1]) * r,
    left: (x - m.actualBoundingBoxLeft) * r, right: (x + m.actualBoundingBoxRight) * r,
    top: (y - m.actualBoundingBoxAscent) * r, bottom: (y + m.actualBoundingBoxDescent) * r,
  });
  return fillText.apply(this, arguments);
};
pen.clearRect = function () {
  this.canvas.texts = [];
  return clearRect.apply(this, arguments);
};

window.probe = {
  // All texts that can be seen, in the page and on its canvases, with their rectangles. What lies over the page with a
  // ground of its own that nothing shines through (a bar that stays, a panel that is opened) is a layer of its own.
  texts() {
    const found = [], owners = new Map();
    const bars = [...document.querySelectorAll("body *")].filter((n) => {
      const { position, backgroundColor } = getComputedStyle(n);
      return ["sticky", "fixed", "absolute"].includes(position) && !/^rgba/.test(backgroundColor);
    });
    const add = (owner, node, text, size, rectangle) => {
      const box = this.clipped(node, rectangle);
      if (!owners.has(owner)) owners.set(owner, owners.size);
      if (box && text.trim()) found.push({ text: text.trim(), size, owner: owners.get(owner), layer: bars.findIndex((b) => b.contains(node)), ...box });
    };
    const size = (node) => parseFloat(getComputedStyle(node).fontSize);
    for (const [text, node] of this.nodes()) {
      const range = document.createRange();
      range.selectNodeContents(text);
      for (const r of range.getClientRects()) add(node, node, text.textContent, size(node), r);
    }
    for (const field of document.querySelectorAll("select, input:not([type=range]):not([type=radio]), textarea")) {
      if (field.checkVisibility()) add(field, field, field.value || "?", size(field), field.getBoundingClientRect());
    }
    for (const canvas of document.querySelectorAll("canvas")) {
      const { left, top, width } = canvas.getBoundingClientRect();
      for (const t of width ? canvas.texts || [] : []) {
        add(t, canvas, t.text, t.size, { left: left + t.left, right: left + t.right, top: top + t.top, bottom: top + t.bottom });
      }
    }
    return found;
  },

  // What of a rectangle its ancestors let be seen; null if nothing.
  clipped(node, { left, top, right, bottom }) {
    for (let n = node; n && n !== document.body; n = n.parentElement) {
      const style = getComputedStyle(n);
      if (style.opacity === "0" || style.visibility === "hidden") return null;
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const b = n.getBoundingClientRect();
      [left, top, right, bottom] = [Math.max(left, b.left), Math.max(top, b.top), Math.min(right, b.right), Math.min(bottom, b.bottom)];
    }
    return right - left > 1 && bottom - top > 1 ? { left, top, right, bottom } : null;
  },

  // Text nodes that are shown, with the element that each is in.
  nodes() {
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text; (text = walker.nextNode());) {
      const node = text.parentElement;
      if (text.textContent.trim() && node.checkVisibility() && !node.closest("option, script")) found.push([text, node]);
    }
    return found;
  },

  // Of each text its ink and its ground.
  inks() {
    const ground = (n) => {
      const colour = n ? getComputedStyle(n).backgroundColor : "rgb(255, 255, 255)";
      return /^rgba.* 0\)$/.test(colour) ? ground(n.parentElement) : colour;
    };
    return this.nodes().map(([text, node]) => [text.textContent.trim(), getComputedStyle(node).color, ground(node)]);
  },

  // The shorter side of each country as drawn.
  maps() {
    return [...document.querySelectorAll(".map canvas")].map((c) => {
      const { width, height } = c.getBoundingClientRect(), shape = parseFloat(getComputedStyle(c).getPropertyValue("--shape"));
      return Math.sqrt(Math.min(width, height * shape) * Math.min(height, width / shape)); // a long country is low
    });
  },

  // By how many pixels anything can be scrolled sideways.
  sideways() {
    return Math.max(...[...document.querySelectorAll("html, body, main, #side, [role=tabpanel]")].map((n) => n.scrollWidth - n.clientWidth));
  },

  written(selector) {
    return [...document.querySelectorAll(selector)].map((c) => c.texts.map((t) => t.text));
  },

  // Resolves when the page has drawn itself in its new size.
  drawn() {
    window.dispatchEvent(new Event("resize"));
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60))));
  },

  pictures() {
    return [...document.querySelectorAll("canvas")].map((c) => c.toDataURL()).join();
  },
};
