// @ts-check
// Joins the map of a page: its skeleton, layers, markers, taps and tools. Where there is no room it is not even loaded.
import { openFrame } from "./frame.js";
import { showLayers } from "./layers.js";
import { showMarkers } from "./markers.js";
import { showRounds } from "./rounds.js";
import { watchPrint } from "./print.js";
import { watchSearch } from "./search.js";
import { watchTaps } from "./tap.js";
import { useTools } from "./tools.js";
import { watchGrid } from "./utm.js";

/** @param {HTMLElement} root */
async function begin(root) {
  root.dataset.begun = "";
  try {
    const frame = await openFrame(root);
    const taps = watchTaps(frame);
    useTools(frame, taps.open);
    watchGrid(frame);
    const layers = showLayers(frame);
    showMarkers(frame, (kind, id, at, words) => taps.openMark(/** @type {any} */ (kind), id, at, words));
    showRounds(frame, (id, at, words) => taps.openMark("rounds", id, at, words));
    watchSearch(frame, taps.open);
    watchPrint(frame, layers);
    watchVersion(root);
    new ResizeObserver(() => frame.map.invalidateSize({ animate: false })).observe(frame.map.getContainer());
  } catch (error) {
    say(root, root.dataset.noMap ?? "");
    throw error;
  }
}

/** An import has changed the layers: the person decides when the map is drawn anew. @param {HTMLElement} root */
function watchVersion(root) {
  root.addEventListener("map:data", (/** @type {any} */ event) => {
    if (event.detail.version !== root.dataset.version) say(root, root.querySelector("[data-map-said]")?.getAttribute("data-new-layers") ?? "", true);
  });
}

/** @param {HTMLElement} root @param {string} words @param {boolean} [again] */
function say(root, words, again = false) {
  const place = /** @type {HTMLElement | null} */ (root.querySelector("[data-map-said]"));
  if (!place) return;
  place.textContent = words || place.dataset.noMap || "";
  place.hidden = false;
  if (!again) return;
  const button = Object.assign(document.createElement("button"), { className: "button key", type: "button", textContent: place.dataset.readAgain ?? "" });
  button.addEventListener("click", () => location.reload());
  place.append(" ", button);
}

const small = window.matchMedia("(max-width: 40rem)");
for (const root of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-map=page], [data-map=front], [data-map=round]"))) {
  if (small.matches) root.querySelector("[data-map-legend]")?.removeAttribute("open");
  // On the front page of a tablet the map has no box: it begins when a wider window gives it one.
  new ResizeObserver((_, watcher) => {
    if (!root.clientWidth || "begun" in root.dataset) return;
    watcher.disconnect();
    begin(root);
  }).observe(root);
}
