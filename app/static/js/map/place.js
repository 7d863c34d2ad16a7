// @ts-check
// The picker of a form: a map over the whole screen, a cross in its middle, and the form's hidden inputs filled from it.
import { openFrame } from "./frame.js";
import { showLayers } from "./layers.js";
import { useTools } from "./tools.js";

const PLACES = 6, NEAR = 17;

/** @param {HTMLElement} button @param {HTMLDialogElement} dialog */
function watchPick(button, dialog) {
  const box = /** @type {HTMLElement | null} */ (button.closest("[data-position]"));
  const root = /** @type {HTMLElement | null} */ (dialog.querySelector("[data-map=place]"));
  if (!box || !root) return;
  /** @param {string} name */
  const input = (name) => /** @type {HTMLInputElement | null} */ (box.querySelector(`input[name=${name}]`));
  const lon = input("lon"), lat = input("lat");
  if (!lon || !lat) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    dialog.showModal();
    const frame = await (opened ??= open(root));
    frame.map.invalidateSize({ animate: false });
    if (lon.value !== "" && lat.value !== "") frame.map.setView([Number(lat.value), Number(lon.value)], Math.max(frame.map.getZoom(), NEAR));
    frame.map.getContainer().focus();
  });
  dialog.querySelector("[data-map-cancel]")?.addEventListener("click", () => dialog.close());
  dialog.querySelector("[data-map-take]")?.addEventListener("click", async () => {
    const { map } = await (opened ??= open(root));
    const centre = map.getCenter();
    lon.value = centre.lng.toFixed(PLACES);
    lat.value = centre.lat.toFixed(PLACES);
    const accuracy = input("accuracy_m"), source = input("location_source");
    if (accuracy) accuracy.value = "";
    if (source) source.value = "map";
    dialog.close();
    for (const one of [lon, lat, accuracy, source]) one?.dispatchEvent(new Event("input", { bubbles: true }));
    button.focus();
  });
}

/** @type {Promise<import("./frame.js").Frame> | undefined} */
let opened;

/** @param {HTMLElement} root */
async function open(root) {
  const frame = await openFrame(root);
  useTools(frame, () => {});
  showLayers(frame);
  const cross = /** @type {HTMLElement | null} */ (root.querySelector("[data-map-cross]"));
  if (cross) cross.hidden = false;
  root.querySelector("[data-map-legend]")?.removeAttribute("open");
  return frame;
}

const dialog = document.querySelector("[data-map-dialog]");
if (dialog instanceof HTMLDialogElement) {
  for (const button of document.querySelectorAll("[data-map-pick]")) if (button instanceof HTMLElement) watchPick(button, dialog);
}
