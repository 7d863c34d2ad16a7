// @ts-check
// The search box: a number of the UTM grid, which the node reads, or latitude and longitude.

/** @typedef {import("./frame.js").Frame} Frame */

/** @param {Frame} frame @param {(at: [number, number], words?: string) => void} found */
export function watchSearch({ root, map, here }, found) {
  const form = /** @type {HTMLFormElement | null} */ (root.querySelector("[data-map-search]"));
  const input = form?.querySelector("input"), said = /** @type {HTMLElement | null} */ (form?.querySelector("[data-map-search-said]") ?? null);
  if (!form || !input || !said) return;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value.normalize("NFKC").trim();
    const at = readDegrees(text) ?? (await askGrid(here, text));
    said.textContent = at ? "" : said.dataset.none ?? "";
    input.setAttribute("aria-invalid", String(!at));
    if (!at) return;
    /** @type {HTMLDetailsElement | null} */ (form.closest("details"))?.removeAttribute("open");
    map.setView([at[1], at[0]], Math.max(map.getZoom(), 16), { animate: false });
    found(at, text);
  });
}

/** `35.8178, 139.6779` as maps of Japan write it: latitude first. @param {string} text @returns {[number, number] | null} */
function readDegrees(text) {
  const match = /^(-?\d{1,3}(?:\.\d+)?)[\s,、]+(-?\d{1,3}(?:\.\d+)?)$/.exec(text);
  if (!match) return null;
  const [lat, lon] = [Number(match[1]), Number(match[2])];
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lon, lat] : null;
}

/** @param {string} here @param {string} text @returns {Promise<[number, number] | null>} */
async function askGrid(here, text) {
  try {
    const answer = await fetch(`${here}/grid?text=${encodeURIComponent(text)}`);
    if (!answer.ok) return null;
    const { lon, lat } = await answer.json();
    return Number.isFinite(lon) && Number.isFinite(lat) ? [lon, lat] : null;
  } catch {
    return null;
  }
}
