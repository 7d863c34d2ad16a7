// @ts-check
// The buttons of the map: nearer, farther, where I am, aim with the cross; the scale; and the view that is remembered.
import { bounds } from "./frame.js";

/** @typedef {import("./frame.js").Frame} Frame */

const METRES = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000];
const SCALE_PX = 120;
const CUT = -0.08; // a little of the edge may be cut: the next zoom out shows a quarter of the city's size

/** @param {Frame} frame @param {(at: [number, number]) => void} aimed */
export function useTools(frame, aimed) {
  openView(frame);
  zoomButtons(frame);
  locate(frame);
  aim(frame, aimed);
  scale(frame);
}

/** A place that somebody sent is shown by a ring as wide as it is uncertain. @param {any} map @param {any} L @param {number[]} place */
function pointAt(map, L, [lon, lat]) {
  const within = Number(new URLSearchParams(location.search).get("within") ?? NaN);
  if (!Number.isFinite(within)) return;
  L.circle([lat, lon], { radius: Math.max(within, 5), className: "asked-place", interactive: false }).addTo(map);
  L.circleMarker([lat, lon], { radius: 6, className: "asked-place is-middle", interactive: false }).addTo(map);
}

/** `?at=lon,lat,zoom` of the address, else where this device last was, else the city. @param {Frame} frame */
function openView({ map, L, keep, skeleton, root }) {
  const asked = (new URLSearchParams(location.search).get("at") ?? "").split(",").map(Number);
  const kept = keep.get("view");
  const home = () => map.fitBounds(bounds(L, skeleton.home ?? skeleton.japan).pad(CUT), { animate: false });
  if (asked.length >= 2 && asked.every(Number.isFinite)) {
    map.setView([asked[1], asked[0]], asked[2] ?? 16, { animate: false });
    pointAt(map, L, asked);
  }
  else if (kept && inside(kept, skeleton.home)) map.setView([kept[1], kept[0]], kept[2], { animate: false });
  else {
    home();
    if (!skeleton.home) root.addEventListener("map:data", (/** @type {any} */ event) => fitTo(map, L, event.detail), { once: true });
  }
  map.on("moveend", () => {
    const { lng, lat } = map.getCenter();
    keep.set("view", [lng, lat, map.getZoom()]);
  });
}

/** A view of another city's map is no view of this one. @param {number[]} view @param {number[] | null} home */
function inside([lon, lat], home) {
  return !home || (lon > home[0] - 1 && lon < home[2] + 1 && lat > home[1] - 1 && lat < home[3] + 1);
}

/** With no layer at all the map opens on what has been told. @param {any} map @param {any} L @param {any} told */
function fitTo(map, L, told) {
  const places = [...told.shelters, ...told.reports, ...told.patrols].map(([, lon, lat]) => [lat, lon]);
  if (places.length) map.fitBounds(L.latLngBounds(places).pad(0.1), { animate: false, maxZoom: 15 });
}

/** @param {Frame} frame */
function zoomButtons({ root, map }) {
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (root.querySelectorAll("[data-map-zoom]"))) {
    button.addEventListener("click", () => map.setZoom(map.getZoom() + Number(button.dataset.mapZoom)));
  }
}

/** The position with the circle of its accuracy. @param {Frame} frame */
function locate({ root, map, L }) {
  const button = /** @type {HTMLButtonElement | null} */ (root.querySelector("[data-map-locate]"));
  const said = /** @type {HTMLElement | null} */ (root.querySelector("[data-map-said]"));
  if (!button || !said || !("geolocation" in navigator)) return;
  button.hidden = false;
  const here = L.layerGroup().addTo(map);
  button.addEventListener("click", () => navigator.geolocation.getCurrentPosition(({ coords }) => {
    const at = [coords.latitude, coords.longitude];
    here.clearLayers();
    here.addLayer(L.circle(at, { radius: coords.accuracy, className: "map-accuracy", interactive: false }));
    here.addLayer(L.circleMarker(at, { radius: 8, className: "map-me", interactive: false }));
    map.setView(at, Math.max(map.getZoom(), 15), { animate: false });
    said.hidden = true;
  }, () => {
    said.textContent = said.dataset.noPlace ?? "";
    said.hidden = false;
  }, { enableHighAccuracy: true, timeout: 8000, maximumAge: 15000 }));
}

/** The cross in the middle: the map is moved under it, so that no finger hides the place. @param {Frame} frame @param {(at: [number, number]) => void} aimed */
function aim({ root, map }, aimed) {
  const button = root.querySelector("[data-map-aim]");
  const cross = /** @type {HTMLElement | null} */ (root.querySelector("[data-map-cross]"));
  if (!button || !cross) return;
  const tell = () => {
    if (cross.hidden) return;
    const { lng, lat } = map.getCenter();
    aimed([lng, lat]);
  };
  button.addEventListener("click", () => {
    cross.hidden = !cross.hidden;
    button.setAttribute("aria-pressed", String(!cross.hidden));
    tell();
  });
  map.on("moveend", tell);
}

/** @param {Frame} frame */
function scale({ root, map }) {
  const box = root.querySelector("[data-map-scale]");
  const bar = /** @type {HTMLElement | null} */ (box?.querySelector("i")), words = box?.querySelector("b");
  if (!bar || !words) return;
  const draw = () => {
    const middle = map.getSize().divideBy(2);
    const across = map.distance(map.containerPointToLatLng(middle), map.containerPointToLatLng(middle.add([SCALE_PX, 0])));
    const metres = METRES.filter((one) => one <= across).pop() ?? METRES[0];
    bar.style.width = `${Math.round((SCALE_PX * metres) / across)}px`;
    words.textContent = metres < 1000 ? `${metres} m` : `${metres / 1000} km`;
  };
  map.on("zoomend moveend resize", draw);
  draw();
}
