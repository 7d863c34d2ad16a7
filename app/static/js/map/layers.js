// @ts-check
// Which layers are shown and how strongly: the tiles, the hatched ground that nobody has data of, the legend, the credits.
import { bounds } from "./frame.js";
import { fillOf, fillPath, lookOf, patternOf } from "./hatch.js";
import { labelRules, paintRules } from "./paint.js";

/** @typedef {import("./frame.js").Frame} Frame */

const OPACITY = 70, SIDE = 256;
const MARKS = ["reports", "shelters", "closures", "patrols"];

/** @param {Frame} frame */
export function showLayers(frame) {
  const { root, skeleton, map, L, keep } = frame;
  const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll("input[data-map-layer]"));
  const strengths = /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll("input[name=map-opacity]"));
  const chosen = keep.get("layers", {});
  let opacity = Number(keep.get("opacity", OPACITY));
  for (const box of boxes) box.checked = chosen[box.dataset.mapLayer ?? ""] ?? box.checked;
  for (const radio of strengths) radio.checked = Number(radio.value) === opacity;
  /** A layer without a box of its own is the ground, and always shown. @param {string} id */
  const shown = (id) => [...boxes].find((box) => box.dataset.mapLayer === id)?.checked ?? true;

  outsideLayer(frame).addTo(map);
  // @ts-ignore: a classic script of the vendor folder
  const tiles = window.protomapsL.leafletLayer({
    sources: Object.fromEntries(skeleton.layers.map((layer) => [layer.id, { url: new URL(layer.tiles, location.href).href, maxDataZoom: layer.zooms[1], levelDiff: 1 }])),
    paintRules: [], labelRules: [], attribution: "", tileDelay: 0, zIndex: 2, updateWhenIdle: false, updateWhenZooming: false, keepBuffer: 1,
  });
  const views = tiles.views;

  /** @param {boolean} printing paper is white, whatever the screen is */
  function repaint(printing = false) {
    root.classList.toggle("map-on-paper", printing);
    const look = lookOf(root, opacity / 100);
    const layers = skeleton.layers.filter((layer) => shown(layer.id));
    tiles.views = new Map([...views].filter(([id]) => shown(id)));
    tiles.paintRules = paintRules(layers, look);
    tiles.labelRules = labelRules(layers, look);
    tiles.labelers.labelRules = tiles.labelRules;
    tiles.clearLayout();
    if (map.hasLayer(tiles)) tiles.rerenderTiles();
    else tiles.addTo(map);
    drawLegend(root, skeleton.layers, look);
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-map-part]"))) {
      part.hidden = !(part.dataset.mapPart ?? "").split(" ").some(shown);
    }
    for (const name of MARKS) {
      if (shown(name)) map.addLayer(skeleton[name]);
      else map.removeLayer(skeleton[name]);
    }
    root.dispatchEvent(new CustomEvent("map:layers", { detail: { grid: shown("grid") && Boolean(root.querySelector("[data-map-layer=grid]")) } }));
  }

  for (const box of boxes) {
    box.addEventListener("change", () => {
      keep.set("layers", { ...keep.get("layers", {}), [box.dataset.mapLayer ?? ""]: box.checked });
      repaint();
    });
  }
  for (const radio of strengths) {
    radio.addEventListener("change", () => {
      opacity = Number(radio.value);
      keep.set("opacity", opacity);
      repaint();
    });
  }
  new MutationObserver(() => repaint()).observe(document.documentElement, { attributeFilter: ["data-palette"] });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => repaint());
  if (frame.mode === "place") for (const name of MARKS) map.removeLayer(skeleton[name]);
  repaint();
  return { repaint, tiles };
}

/** Ground of which this node has no data is hatched and says so, never grey. @param {Frame} frame */
function outsideLayer({ root, skeleton, L }) {
  const known = skeleton.layers.filter((layer) => layer.box).map((layer) => bounds(L, /** @type {number[]} */ (layer.box)));
  const words = root.querySelector("[data-map-swatch=outside]")?.parentElement?.textContent?.trim() ?? "";
  const Outside = L.GridLayer.extend({
    /** @param {{x: number, y: number, z: number}} coords */
    createTile(coords) {
      const tile = document.createElement("div"), origin = L.point(coords.x, coords.y).multiplyBy(SIDE);
      const edges = known.map((box) => [box.getNorthWest(), box.getSouthEast()].map((at) => this._map.project(at, coords.z).subtract(origin)));
      if (edges.some(([from, to]) => from.x <= 0 && from.y <= 0 && to.x >= SIDE && to.y >= SIDE)) return tile;
      tile.className = "map-outside";
      tile.append(Object.assign(document.createElement("span"), { textContent: words }));
      for (const [from, to] of edges) {
        if (to.x <= 0 || to.y <= 0 || from.x >= SIDE || from.y >= SIDE) continue;
        const inside = document.createElement("i"), [left, top] = [Math.max(from.x, 0), Math.max(from.y, 0)];
        Object.assign(inside.style, { left: `${left}px`, top: `${top}px`, width: `${Math.min(to.x, SIDE) - left}px`, height: `${Math.min(to.y, SIDE) - top}px` });
        tile.append(inside);
      }
      return tile;
    },
  });
  return new Outside({ zIndex: 1, updateWhenZooming: false });
}

/** The swatches are filled by the rule that fills the tiles. @param {HTMLElement} root @param {any[]} layers @param {any} look */
function drawLegend(root, layers, look) {
  for (const canvas of /** @type {NodeListOf<HTMLCanvasElement>} */ (root.querySelectorAll("[data-map-swatch]"))) {
    const [kind, code] = (canvas.dataset.mapSwatch ?? "").split(":");
    canvas.width = 68;
    canvas.height = 44;
    const ctx = canvas.getContext("2d");
    if (!ctx) continue;
    ctx.scale(2, 2);
    ctx.fillStyle = look.ground;
    ctx.fillRect(0, 0, 34, 22);
    ctx.beginPath();
    ctx.rect(0, 0, 34, 22);
    const style = layers.find((layer) => layer.kind === kind)?.classes?.[code];
    if (style) fillPath(ctx, fillOf({ ...look, opacity: Math.max(look.opacity, 0.4) }, style));
    else if (kind === "outside") fillPath(ctx, { colour: look.ground, fill: 1, hatch: patternOf("outside", look.outside), strength: 1 });
  }
}
