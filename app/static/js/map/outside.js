// @ts-check
// Ground of which this node has no data is hatched and says so, never grey.
import { bounds } from "./frame.js";

/** @typedef {import("./frame.js").Frame} Frame */

const AROUND = 0.5; // of the view, so that a finger does not pull bare ground in
const QUIET_MS = 150;
const APART = 3, CELLS = 5; // the words stand at most APART times, where a grid of CELLS by CELLS has room for them

/** @param {Frame} frame */
export function markOutside({ root, skeleton, map, L }) {
  const known = skeleton.layers.filter((layer) => layer.box).map((layer) => bounds(L, /** @type {number[]} */ (layer.box)));
  const words = root.querySelector("[data-map-swatch=outside]")?.parentElement?.textContent?.trim() ?? "";
  const pane = L.DomUtil.create("div", "map-outside", map.getPane("tilePane"));

  let quiet = 0;

  function draw() {
    const view = map.getPixelBounds(), size = map.getSize(), origin = map.getPixelOrigin();
    const from = view.min.subtract(size.multiplyBy(AROUND)).subtract(origin), far = size.multiplyBy(1 + 2 * AROUND);
    const boxes = known.map((box) => [box.getNorthWest(), box.getSouthEast()].map((at) => map.latLngToLayerPoint(at)))
      .map(([min, max]) => ({ left: min.x, top: min.y, right: max.x, bottom: max.y }));
    const all = { left: from.x, top: from.y, right: from.x + far.x, bottom: from.y + far.y };
    pane.hidden = boxes.some((box) => box.left <= all.left && box.top <= all.top && box.right >= all.right && box.bottom >= all.bottom);
    if (pane.hidden) return;
    L.DomUtil.setPosition(pane, from);
    Object.assign(pane.style, { width: `${far.x}px`, height: `${far.y}px` });
    pane.replaceChildren(...boxes.filter((box) => meet(box, all)).map((box) => piece("i", {
      left: Math.max(box.left, all.left) - from.x, top: Math.max(box.top, all.top) - from.y,
      width: Math.min(box.right, all.right) - Math.max(box.left, all.left), height: Math.min(box.bottom, all.bottom) - Math.max(box.top, all.top),
    })));
    // The words wait for a pause: where they have room only the laid-out page knows, and to ask it costs 40 ms of a zoom.
    window.clearTimeout(quiet);
    quiet = window.setTimeout(() => say(boxes, from), QUIET_MS);
  }

  /** The words stand where nothing covers them: neither a panel of the map nor ground that has data. @param {any[]} boxes @param {any} from */
  function say(boxes, from) {
    const stage = map.getContainer().getBoundingClientRect(), size = map.getSize();
    const sample = piece("span", { left: 0, top: 0 });
    sample.textContent = words;
    pane.append(sample);
    const { width, height } = sample.getBoundingClientRect();
    sample.remove();
    const panels = [...root.querySelectorAll(".map-bar > *, .map-bar details[open] > *, .map-buttons, .map-foot > *, .map-said")]
      .concat([...(root.parentElement?.querySelectorAll(".map-floating, .map-panel") ?? [])])
      .map((panel) => panel.getBoundingClientRect()).filter((box) => box.width)
      .map((box) => ({ left: box.left - stage.left, top: box.top - stage.top, right: box.right - stage.left, bottom: box.bottom - stage.top }));
    const corner = map.containerPointToLayerPoint([0, 0]);
    const covered = [...panels, ...boxes.map((box) => ({ left: box.left - corner.x, top: box.top - corner.y, right: box.right - corner.x, bottom: box.bottom - corner.y }))];
    /** @type {{left: number, top: number}[]} */
    const places = [];
    for (const { x, y } of cells(size)) {
      const left = Math.round(x - width / 2), top = Math.round(y - height / 2);
      const room = { left: left - 4, top: top - 4, right: left + width + 4, bottom: top + height + 4 };
      if (room.left < 0 || room.top < 0 || room.right > size.x || room.bottom > size.y) continue;
      if (covered.some((box) => meet(room, box)) || places.some((one) => Math.abs(one.left - left) < 2 * width && Math.abs(one.top - top) < 6 * height)) continue;
      places.push({ left, top });
      if (places.length === APART) break;
    }
    for (const { left, top } of places) {
      const told = piece("span", { left: left + corner.x - from.x, top: top + corner.y - from.y });
      told.textContent = words;
      pane.append(told);
    }
  }

  map.on("moveend resize", draw);
  draw();
}

/** The middles of the cells, those in the middle of the view first. @param {{x: number, y: number}} size */
function cells(size) {
  const found = [];
  for (let row = 0; row < CELLS; row += 1) for (let column = 0; column < CELLS; column += 1) found.push({ x: (size.x * (column + 0.5)) / CELLS, y: (size.y * (row + 0.5)) / CELLS });
  const away = (/** @type {{x: number, y: number}} */ one) => Math.hypot(one.x - size.x / 2, one.y - size.y / 2);
  return found.sort((one, two) => away(one) - away(two));
}

/** @param {any} one @param {any} two */
const meet = (one, two) => one.left < two.right && two.left < one.right && one.top < two.bottom && two.top < one.bottom;

/** @param {string} tag @param {Record<string, number>} box @returns {HTMLElement} */
function piece(tag, box) {
  const made = document.createElement(tag);
  for (const [side, px] of Object.entries(box)) made.style.setProperty(side, `${px}px`);
  return made;
}
