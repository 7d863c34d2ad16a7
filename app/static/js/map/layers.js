// @ts-check
// Which layers are shown and how strongly, the legend that is filled by the same rule, the credits.
import { makeGround } from "./ground.js";
import { fillOf, fillPath, lookOf, patternOf } from "./hatch.js";
import { markOutside } from "./outside.js";
import { labelRules, paintRules } from "./paint.js";
import { makePictures } from "./pictures.js";

/** @typedef {import("./frame.js").Frame} Frame */

const OPACITY = 70;
const MARKS = /** @type {const} */ (["reports", "shelters", "closures", "patrols"]);

/** @param {Frame} frame */
export function showLayers(frame) {
  const { root, skeleton, map, keep } = frame;
  const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll("input[data-map-layer]"));
  const strengths = /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll("input[name=map-opacity]"));
  const chosen = keep.get("layers", {});
  let opacity = Number(keep.get("opacity", OPACITY));
  for (const box of boxes) box.checked = chosen[box.dataset.mapLayer ?? ""] ?? box.checked;
  for (const radio of strengths) radio.checked = Number(radio.value) === opacity;
  /** A layer without a box of its own is the ground, and always shown. @param {string} id */
  const shown = (id) => [...boxes].find((box) => box.dataset.mapLayer === id)?.checked ?? true;

  markOutside(frame);
  const ground = makeGround(frame);
  const pictures = makePictures(frame);

  /** @param {boolean} printing paper is white, whatever the screen is */
  function repaint(printing = false) {
    root.classList.toggle("map-on-paper", printing);
    const look = lookOf(root, opacity / 100);
    const layers = skeleton.layers.filter((layer) => shown(layer.id));
    ground.restyle({ rules: paintRules(layers, look), labels: labelRules(layers, look), shown });
    pictures.restyle({ look, shown });
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
  return { repaint, drawn: () => Promise.all([ground.drawn(), pictures.drawn()]) };
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
    else if (kind === "outside") fillPath(ctx, patternOf("outside", look.outside, 1));
  }
}
