// @ts-check
// Draws the route of a round: the map is moved under the cross, so that no finger hides the place; each place is a vertex.
import { read } from "../patrol/routes.js";
import { openFrame } from "./frame.js";
import { showLayers } from "./layers.js";
import { useTools } from "./tools.js";

const PLACES = 6, PLACES_MAX = 200; // app/records/patrols.py

/** @param {HTMLElement} field @param {HTMLDialogElement} dialog */
function watchRoute(field, dialog) {
  const input = /** @type {HTMLInputElement | null} */ (field.querySelector("input[name=route]"));
  const button = /** @type {HTMLButtonElement | null} */ (field.querySelector("[data-route-pick]"));
  const root = /** @type {HTMLElement | null} */ (dialog.querySelector("[data-map=place]"));
  const count = /** @type {HTMLElement | null} */ (dialog.querySelector("[data-route-count]"));
  const undo = /** @type {HTMLButtonElement | null} */ (dialog.querySelector("[data-route-undo]"));
  if (!input || !button || !root || !count || !undo) return;
  /** @type {[number, number][]} */
  let places = [];
  /** @type {Promise<{frame: import("./frame.js").Frame, line: any, points: any}> | undefined} */
  let opened;

  async function open() {
    const frame = await openFrame(/** @type {HTMLElement} */ (root));
    useTools(frame, () => {});
    showLayers(frame);
    const cross = /** @type {HTMLElement | null} */ (frame.root.querySelector("[data-map-cross]"));
    if (cross) cross.hidden = false;
    frame.root.querySelector("[data-map-legend]")?.removeAttribute("open");
    const line = frame.L.polyline([], { className: "map-track", interactive: false }).addTo(frame.map);
    return { frame, line, points: frame.L.layerGroup().addTo(frame.map) };
  }

  async function draw() {
    const { frame, line, points } = await (opened ??= open());
    const corners = places.map(([lon, lat]) => [lat, lon]);
    line.setLatLngs(corners);
    points.clearLayers();
    for (const corner of corners) points.addLayer(frame.L.circleMarker(corner, { radius: 7, className: "map-me", interactive: false }));
    if (count) count.textContent = (count.dataset.some ?? "").replace("0", String(places.length));
    if (undo) undo.disabled = places.length === 0;
  }

  button.hidden = false;
  button.addEventListener("click", async () => {
    dialog.showModal();
    const { frame } = await (opened ??= open());
    frame.map.invalidateSize({ animate: false });
    places = read(input.value);
    if (places.length) frame.map.fitBounds(frame.L.latLngBounds(places.map(([lon, lat]) => [lat, lon])).pad(0.2), { animate: false, maxZoom: 16 });
    await draw();
    frame.map.getContainer().focus();
  });
  dialog.querySelector("[data-route-add]")?.addEventListener("click", async () => {
    const { frame } = await (opened ??= open());
    const { lng, lat } = frame.map.getCenter();
    if (places.length < PLACES_MAX) places.push([Number(lng.toFixed(PLACES)), Number(lat.toFixed(PLACES))]);
    draw();
  });
  undo.addEventListener("click", () => {
    places.pop();
    draw();
  });
  dialog.querySelector("[data-route-cancel]")?.addEventListener("click", () => dialog.close());
  dialog.querySelector("[data-route-take]")?.addEventListener("click", () => {
    input.value = places.length ? JSON.stringify(places) : "";
    dialog.close();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    button.focus();
  });
}

const dialog = document.querySelector("[data-route-dialog]"), field = document.querySelector("[data-route]");
if (dialog instanceof HTMLDialogElement && field instanceof HTMLElement) watchRoute(field, dialog);
