// @ts-check
// Basemaps of pictures: scanned maps, aerial photographs. Their tiles come out of one package by ranges, as all tiles do.
import { patternOf } from "./hatch.js";

/** @typedef {import("./frame.js").Frame} Frame @typedef {import("./hatch.js").Look} Look */

const SIDE = 256;
const PAPER = 150; // of 255: a scanned map is lighter than this, a photograph darker

/** @param {Frame} frame */
export function makePictures({ root, skeleton, map, L }) {
  const words = root.querySelector("[data-map-swatch=outside]")?.parentElement?.textContent?.trim() ?? "";
  /** @type {Look | null} */
  let look = null;
  const layers = skeleton.layers.filter((layer) => layer.pictures).map((layer) => ({ id: layer.id, drawn: make(layer) }));

  /** @param {import("./frame.js").Layer} layer */
  function make(layer) {
    // @ts-ignore: a classic script of the vendor folder
    const { PmtilesSource } = window.protomapsL;
    const { p: file } = new PmtilesSource(new URL(layer.tiles, location.href).href, false);
    const Pictures = L.GridLayer.extend({
      /** @param {{x: number, y: number, z: number}} at @param {(error?: Error, tile?: HTMLElement) => void} done */
      createTile(at, done) {
        const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
        nearest(file, at, layer.zooms[0])
          .then(async (found) => (found ? await draw(canvas, at, found, this.getContainer()) : sayNone(canvas, at)))
          .catch(() => sayNone(canvas, at))
          .finally(() => done(undefined, canvas));
        return canvas;
      },
    });
    // Nearer than its last zoom a picture is shown larger, farther than its first not at all: 4,000 tiles would be one view.
    return new Pictures({ className: "map-picture", minZoom: layer.zooms[0], maxNativeZoom: layer.zooms[1], zIndex: 1, updateWhenZooming: false, keepBuffer: 1 });
  }

  /** @param {HTMLCanvasElement} canvas @param {{x: number, y: number}} at */
  function sayNone(canvas, at) {
    const ctx = canvas.getContext("2d"), hatch = look && patternOf("outside", look.outside, 1);
    if (!ctx || !look || !hatch) return;
    ctx.fillStyle = hatch;
    ctx.fillRect(0, 0, SIDE, SIDE);
    if ((at.x + at.y) % 2) return;
    ctx.font = `14px ${look.font}`;
    ctx.textAlign = "center";
    ctx.lineWidth = 4;
    ctx.strokeStyle = look.ground;
    ctx.fillStyle = look.word;
    ctx.strokeText(words, SIDE / 2, SIDE / 2);
    ctx.fillText(words, SIDE / 2, SIDE / 2);
  }

  /** @param {{look: Look, shown: (id: string) => boolean}} now */
  function restyle(now) {
    look = now.look;
    for (const { id, drawn } of layers) {
      if (now.shown(id)) map.addLayer(drawn);
      else map.removeLayer(drawn);
      drawn.getContainer()?.classList.toggle("is-night", look.night);
    }
  }

  const drawn = () => Promise.all(layers.map(({ drawn: one }) => one.isLoading() && new Promise((done) => one.once("load", done))));
  return { restyle, drawn };
}

/**
 * The picture of this tile, or of the tile around it where the package has holes.
 * @param {any} file @param {{x: number, y: number, z: number}} at @param {number} first its first zoom
 */
async function nearest(file, { x, y, z }, first) {
  for (let up = 0; z - up >= first; up += 1) {
    const found = await file.getZxy(z - up, x >> up, y >> up);
    if (found) return { picture: await createImageBitmap(new Blob([found.data])), up };
  }
  return null;
}

/** @param {HTMLCanvasElement} canvas @param {{x: number, y: number}} at @param {{picture: ImageBitmap, up: number}} found @param {HTMLElement} pane */
function draw(canvas, { x, y }, { picture, up }, pane) {
  const side = picture.width / 2 ** up, part = 2 ** up;
  if (!up) canvas.width = canvas.height = Math.max(SIDE, picture.width);
  const ctx = canvas.getContext("2d");
  ctx?.drawImage(picture, (x % part) * side, (y % part) * side, side, side, 0, 0, canvas.width, canvas.height);
  if (!("paper" in pane.dataset)) {
    pane.dataset.paper = String(lightness(picture) > PAPER);
    pane.classList.toggle("is-paper", pane.dataset.paper === "true");
  }
}

/** The mean of a picture, from 0 to 255. @param {ImageBitmap} picture */
function lightness(picture) {
  const ctx = Object.assign(document.createElement("canvas"), { width: 8, height: 8 }).getContext("2d", { willReadFrequently: true });
  if (!ctx) return 0;
  ctx.drawImage(picture, 0, 0, 8, 8);
  const seen = ctx.getImageData(0, 0, 8, 8).data;
  let sum = 0;
  for (let at = 0; at < seen.length; at += 4) sum += seen[at] + seen[at + 1] + seen[at + 2];
  return sum / 192;
}
