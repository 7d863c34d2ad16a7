// @ts-check
// The ground of the map: every layer of vector tiles on one canvas. Thirty tiles of 256 px, each with a canvas of its
// own, took 0.5 s of a slow tablet at every zoom. What surrounds the view is painted when nothing else is to be done.

import { idle } from "./frame.js";

/**
 * @typedef {import("./frame.js").Frame} Frame
 * @typedef {{minX: number, minY: number, maxX: number, maxY: number}} Box px of the world at one zoom
 * @typedef {{key: string, view: any, place: any, tile: any}} Asked
 * @typedef {{rules: any[], labels: any[], shown: (id: string) => boolean}} Style
 */

const AROUND = 192; // px around the view, so that a finger does not pull bare ground in
const QUIET_MS = 250;
const LABELLED_MAX = 64;

/** @param {Frame} frame */
export function makeGround({ map, L, skeleton }) {
  // @ts-ignore: a classic script of the vendor folder
  const { Labelers, paint, sourcesToViews } = window.protomapsL;
  const canvas = L.DomUtil.create("canvas", "map-ground", map.getPane("tilePane")), ctx = canvas.getContext("2d");
  const sources = skeleton.layers.filter((layer) => !layer.pictures);
  const views = sourcesToViews({ sources: Object.fromEntries(sources.map((layer) => [layer.id, { url: new URL(layer.tiles, location.href).href, maxDataZoom: layer.zooms[1], levelDiff: 1 }])) });
  /** @type {Style} */
  let style = { rules: [], labels: [], shown: () => true };
  let labelers = new Labelers(ctx, [], LABELLED_MAX, undefined);
  /** What the canvas shows: its zoom, where its corner lies, and the part of it that is painted. @type {{z: number, x: number, y: number, box: Box} | null} */
  let painted = null;
  let turn = 0, stale = false, quiet = 0;
  /** @type {(() => void)[]} */
  let waiting = [];

  /** @param {number} more px on each side */
  function viewBox(more) {
    const { min, max } = map.getPixelBounds();
    return { minX: min.x - more, minY: min.y - more, maxX: max.x + more, maxY: max.y + more };
  }

  /** @param {number} z @param {Box} box @returns {Asked[]} */
  function tilesOf(z, box) {
    return [...views].filter(([key]) => style.shown(key)).flatMap(([key, view]) =>
      view.dataTilesForBounds(z, box).map((/** @type {any} */ place) => ({ key, view, place, tile: view.tileCache.cache.get(nameOf(place.dataTile))?.data })));
  }

  /** Paint the view with what is here, at once; with what comes from the node, when all of it is there. */
  async function draw() {
    const mine = (turn += 1), z = map.getZoom();
    window.clearTimeout(quiet);
    if (stale || !painted || painted.z !== z || !holds(painted.box, viewBox(0))) {
      const here = painted && painted.z === z && holds(extent(painted), viewBox(0)) ? painted : null;
      const box = here && !stale ? around(here.box, viewBox(0)) : viewBox(0);
      const asked = tilesOf(z, box);
      const absent = asked.filter((one) => !one.tile);
      canvas.dataset.drawn = absent.length ? "0" : "1";
      if (absent.length) {
        place();
        await load(absent);
        if (mine !== turn) return;
      }
      paintOver(z, box, asked, here ? extent(here) : viewBox(AROUND));
    }
    canvas.dataset.drawn = "1";
    for (const done of waiting.splice(0)) done();
    quiet = window.setTimeout(() => lookAround(mine), QUIET_MS);
  }

  /** Nothing else is to be done: paint around the view, side by side, and get what a zoom would need. @param {number} mine */
  async function lookAround(mine) {
    const z = map.getZoom(), all = viewBox(AROUND);
    for (const side of /** @type {const} */ (["minY", "maxY", "minX", "maxX"])) {
      if (!painted || holds(painted.box, viewBox(AROUND / 2))) break;
      const box = { .../** @type {Box} */ (shared(painted.box, all)), [side]: all[side] };
      const asked = tilesOf(z, box);
      await load(asked.filter((one) => !one.tile));
      await idle();
      if (mine !== turn) return;
      paintOver(z, box, asked, all);
    }
    for (const near of [z + 1, z - 1].filter((one) => one >= map.getMinZoom() && one <= map.getMaxZoom())) {
      const { x, y } = map.project(map.getCenter(), near), half = map.getSize().divideBy(2);
      for (const one of tilesOf(near, { minX: x - half.x, minY: y - half.y, maxX: x + half.x, maxY: y + half.y })) {
        await idle();
        if (mine !== turn) return;
        if (!one.tile) await load([one]);
      }
    }
  }

  /** A tile that cannot be had is ground without anything on it; the next move asks again. @param {Asked[]} absent */
  const load = (absent) => Promise.all(absent.map(async (one) => { one.tile = await one.view.tileCache.get(one.place.dataTile).catch(() => null); }));

  /** Until another scale is painted the old one is shown larger or smaller, in its right place. */
  function place() {
    if (!painted) return;
    const by = map.getZoomScale(map.getZoom(), painted.z);
    const at = L.point(painted.x, painted.y).multiplyBy(by).subtract(map.getPixelOrigin());
    L.DomUtil.setTransform(canvas, at, by === 1 ? undefined : by);
  }

  /** Paint what of this box is not painted yet. @param {number} z @param {Box} box @param {Asked[]} asked @param {Box} all what the canvas spans */
  function paintOver(z, box, asked, all) {
    const tiles = prepared(z, asked), corner = { x: all.minX, y: all.minY };
    labelers.add(z, tiles); // which may find that words painted before have to give way
    const kept = stale || painted?.z !== z ? null : shared(keepPixels(all), box);
    if (!kept) clear(all);
    for (const part of kept ? without(box, kept) : [box]) {
      ctx.clearRect(part.minX - corner.x, part.minY - corner.y, part.maxX - part.minX, part.maxY - part.minY);
      paint(ctx, z, tiles, labelers.getIndex(z), style.rules, part, corner, true);
    }
    stale = asked.some((one) => !one.tile);
    painted = { z, ...corner, box };
    place();
  }

  /** @param {{x: number, y: number}} corner @returns {Box} */
  const extent = ({ x, y }) => ({ minX: x, minY: y, maxX: x + canvas.width / sharp(), maxY: y + canvas.height / sharp() });
  const sharp = () => window.devicePixelRatio || 1;
  /** @param {Box} all */
  const pixels = (all) => [all.maxX - all.minX, all.maxY - all.minY].map((side) => Math.round(side * sharp()));

  /** Move what is painted to where it belongs now; what is left of it. @param {Box} all @returns {Box | null} */
  function keepPixels(all) {
    if (!painted) return null;
    const [width, height] = pixels(all), [x, y] = [painted.x - all.minX, painted.y - all.minY].map((one) => one * sharp());
    if (canvas.width !== width || canvas.height !== height || !Number.isInteger(x) || !Number.isInteger(y)) return null;
    if (x || y) {
      ctx.setTransform(1, 0, 0, 1, 0, 0);
      ctx.globalCompositeOperation = "copy";
      ctx.drawImage(canvas, x, y);
      ctx.globalCompositeOperation = "source-over";
      ctx.setTransform(sharp(), 0, 0, sharp(), 0, 0);
    }
    return shared(painted.box, all);
  }

  /** @param {Box} all */
  function clear(all) {
    const [width, height] = pixels(all);
    if (canvas.width !== width || canvas.height !== height) {
      Object.assign(canvas, { width, height });
      Object.assign(canvas.style, { width: `${width / sharp()}px`, height: `${height / sharp()}px` });
    }
    ctx.setTransform(sharp(), 0, 0, sharp(), 0, 0);
    ctx.clearRect(0, 0, width, height);
  }

  /** @param {Style} now */
  function restyle(now) {
    style = now;
    stale = true;
    labelers = new Labelers(ctx, style.labels, LABELLED_MAX, () => { stale = true; });
    return draw();
  }

  map.on("moveend resize", draw);
  map.on("move", () => painted && painted.z === map.getZoom() && !holds(painted.box, viewBox(0)) && draw());
  map.on("viewreset", place);
  /** Resolves when everything in the view is painted. */
  const drawn = () => (canvas.dataset.drawn === "1" ? Promise.resolve() : new Promise((done) => waiting.push(/** @type {any} */ (done))));
  return { restyle, drawn };
}

/** As the library's own cache names it. @param {{x: number, y: number, z: number}} tile */
const nameOf = ({ x, y, z }) => `${x}:${y}:${z}`;

/** The tiles as the library's painter wants them. @param {number} z @param {Asked[]} asked */
function prepared(z, asked) {
  /** @type {Map<string, any[]>} */
  const found = new Map();
  for (const { key, place, tile } of asked) {
    if (tile) found.set(key, [...(found.get(key) ?? []), { ...place, data: tile, z }]);
  }
  return found;
}

/** @param {Box} box @param {Box} part */
const holds = (box, part) => box.minX <= part.minX && box.minY <= part.minY && box.maxX >= part.maxX && box.maxY >= part.maxY;

/** @param {Box} one @param {Box} two @returns {Box} */
const around = (one, two) => ({ minX: Math.min(one.minX, two.minX), minY: Math.min(one.minY, two.minY), maxX: Math.max(one.maxX, two.maxX), maxY: Math.max(one.maxY, two.maxY) });

/** @param {Box | null} one @param {Box} two @returns {Box | null} */
function shared(one, two) {
  if (!one) return null;
  const both = { minX: Math.max(one.minX, two.minX), minY: Math.max(one.minY, two.minY), maxX: Math.min(one.maxX, two.maxX), maxY: Math.min(one.maxY, two.maxY) };
  return both.minX < both.maxX && both.minY < both.maxY ? both : null;
}

/** What of a box lies around one that it holds: above, below, left, right. @param {Box} box @param {Box} kept @returns {Box[]} */
function without(box, kept) {
  const level = { minY: kept.minY, maxY: kept.maxY };
  return [
    { ...box, maxY: kept.minY }, { ...box, minY: kept.maxY },
    { ...box, ...level, maxX: kept.minX }, { ...box, ...level, minX: kept.maxX },
  ].filter((part) => part.minX < part.maxX && part.minY < part.maxY);
}
