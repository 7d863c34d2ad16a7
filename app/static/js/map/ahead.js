// @ts-check
// While nothing else is to be done: the signs that the next zoom will show are made. To make 80 of them in the zoom
// itself took 130 ms of a slow tablet.
import { idle } from "./frame.js";

/** @typedef {import("./frame.js").Frame} Frame */

const QUIET_MS = 300;

/** @param {Frame} frame @param {string[]} names of the groups that gather what lies near together */
export function makeAhead({ root, map, skeleton }, names) {
  let turn = 0, quiet = 0;

  function soon() {
    turn += 1;
    window.clearTimeout(quiet);
    quiet = window.setTimeout(prepare, QUIET_MS, turn);
  }

  /** @param {number} mine */
  async function prepare(mine) {
    for (const zoom of [map.getZoom() + 1, map.getZoom() - 1]) {
      for (const make of names.flatMap((name) => signsOf(/** @type {any} */ (skeleton)[name], zoom))) {
        await idle();
        if (mine !== turn) return;
        make();
      }
    }
  }

  /** The library walks its tree of clusters as it does when it shows them. @param {any} group @param {number} zoom @returns {(() => void)[]} */
  function signsOf(group, zoom) {
    const top = group._topClusterLevel;
    if (!top || zoom > group._maxZoom || zoom < map.getMinZoom()) return [];
    const wide = 2 ** (map.getZoom() - zoom), bounds = map.getBounds().pad((wide - 1) / 2);
    /** @type {(() => void)[]} */
    const found = [];
    top._recursively(bounds, map.getMinZoom() - 1, zoom, (/** @type {any} */ cluster) => {
      if (cluster._zoom === zoom) return;
      for (const marker of cluster._markers) if (bounds.contains(marker.getLatLng())) found.push(() => marker.options.icon.createIcon());
    }, (/** @type {any} */ cluster) => found.push(() => cluster.createIcon()));
    return found;
  }

  map.on("moveend", soon);
  root.addEventListener("map:data", soon);
}
