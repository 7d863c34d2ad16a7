// @ts-check
// The 1 km lines of the UTM grid with their numbers, as responders read them out over the radio.

/** @typedef {import("./frame.js").Frame} Frame */

const A = 6378137, F = 1 / 298.257223563, K0 = 0.9996, EAST0 = 500000;
const N = F / (2 - F), RADIUS = (A / (1 + N)) * (1 + N ** 2 / 4 + N ** 4 / 64);
const ALPHA = [N / 2 - (2 / 3) * N ** 2 + (5 / 16) * N ** 3, (13 / 48) * N ** 2 - (3 / 5) * N ** 3, (61 / 240) * N ** 3];
const BETA = [N / 2 - (2 / 3) * N ** 2 + (37 / 96) * N ** 3, N ** 2 / 48 + N ** 3 / 15, (17 / 480) * N ** 3];
const DELTA = [2 * N - (2 / 3) * N ** 2 - 2 * N ** 3, (7 / 3) * N ** 2 - (8 / 5) * N ** 3, (56 / 15) * N ** 3];
const KM = 1000, LINES_MAX = 60, ZOOM_MIN = 12;
const rad = Math.PI / 180;

/** @param {number} lon */
const zoneOf = (lon) => Math.floor((lon + 180) / 6) + 1;
/** @param {number} zone */
const meridian = (zone) => (zone * 6 - 183) * rad;

/** Krüger's series, to about a millimetre. @param {number} lon @param {number} lat @param {number} zone @returns {[number, number]} */
export function toUtm(lon, lat, zone) {
  const s = Math.sin(lat * rad), c = (2 * Math.sqrt(N)) / (1 + N);
  const t = Math.sinh(Math.atanh(s) - c * Math.atanh(c * s)), away = lon * rad - meridian(zone);
  const xi = Math.atan2(t, Math.cos(away)), eta = Math.atanh(Math.sin(away) / Math.sqrt(1 + t * t));
  let east = eta, north = xi;
  ALPHA.forEach((alpha, j) => {
    east += alpha * Math.cos(2 * (j + 1) * xi) * Math.sinh(2 * (j + 1) * eta);
    north += alpha * Math.sin(2 * (j + 1) * xi) * Math.cosh(2 * (j + 1) * eta);
  });
  return [EAST0 + K0 * RADIUS * east, K0 * RADIUS * north];
}

/** @param {number} east @param {number} north @param {number} zone @returns {[number, number]} lon, lat */
export function fromUtm(east, north, zone) {
  const xi0 = north / (K0 * RADIUS), eta0 = (east - EAST0) / (K0 * RADIUS);
  let xi = xi0, eta = eta0;
  BETA.forEach((beta, j) => {
    xi -= beta * Math.sin(2 * (j + 1) * xi0) * Math.cosh(2 * (j + 1) * eta0);
    eta -= beta * Math.cos(2 * (j + 1) * xi0) * Math.sinh(2 * (j + 1) * eta0);
  });
  const chi = Math.asin(Math.sin(xi) / Math.cosh(eta));
  const lat = chi + DELTA.reduce((sum, delta, j) => sum + delta * Math.sin(2 * (j + 1) * chi), 0);
  return [(meridian(zone) + Math.atan2(Math.sinh(eta), Math.cos(xi))) / rad, lat / rad];
}

/** @param {Frame} frame */
export function watchGrid({ root, map, L }) {
  const lines = L.layerGroup();
  let on = false;
  const draw = () => {
    lines.clearLayers();
    if (!on || map.getZoom() < ZOOM_MIN) return;
    const view = map.getBounds(), zone = zoneOf(map.getCenter().lng);
    const corners = [view.getSouthWest(), view.getNorthEast(), view.getNorthWest(), view.getSouthEast()].map(({ lng, lat }) => toUtm(lng, lat, zone));
    const [west, east] = [Math.min(...corners.map(([x]) => x)), Math.max(...corners.map(([x]) => x))].map((x) => Math.floor(x / KM));
    const [south, north] = [Math.min(...corners.map(([, y]) => y)), Math.max(...corners.map(([, y]) => y))].map((y) => Math.floor(y / KM));
    if (east - west > LINES_MAX || north - south > LINES_MAX) return;
    const at = (/** @type {number} */ x, /** @type {number} */ y) => { const [lon, lat] = fromUtm(x * KM, y * KM, zone); return [lat, lon]; };
    for (let x = west; x <= east + 1; x += 1) line([at(x, south), at(x, north + 1)], x, at(x, south + 1));
    for (let y = south; y <= north + 1; y += 1) line([at(west, y), at(east + 1, y)], y, at(west + 1, y));
  };
  /** @param {number[][]} ends @param {number} km @param {number[]} place */
  const line = (ends, km, place) => {
    lines.addLayer(L.polyline(ends, { className: "map-grid-line", interactive: false }));
    const html = `<span>${String(((km % 100) + 100) % 100).padStart(2, "0")}</span>`;
    lines.addLayer(L.marker(place, { interactive: false, keyboard: false, icon: L.divIcon({ className: "map-grid-word", html, iconSize: [28, 20] }) }));
  };
  root.addEventListener("map:layers", (/** @type {any} */ event) => {
    on = event.detail.grid;
    if (on) lines.addTo(map);
    else lines.remove();
    draw();
  });
  map.on("moveend", draw);
}
