// @ts-check
// Rounds on the map: the planned route, the way that was gone, what is missing of it with the reason, and a dot that fades
// with the age of the last position. Who may not see where colleagues are has no address for it.

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {[string, string, [number, number][], number, number]} Stretch gap before it, device, places, from, to */
/** @typedef {{id: string, label: string, state: string, route: [number, number][], stretches: Stretch[], last: [number, number, number] | null, clock_ahead: boolean}} Round */

// As on the list (app/queries/patrols.py): a car is elsewhere after ten minutes, after thirty nobody knows where to look.
const FRESH_MS = 10 * 60_000, OLD_MS = 30 * 60_000;
const AGE_MS = 15_000, TOUCH = 48, WORDS_ZOOM = 15, HOUR_MS = 3_600_000;

/** @param {Frame} frame @param {(id: string, at: [number, number], words: string) => void} open */
export function showRounds(frame, open) {
  const { root, map, L } = frame;
  const place = /** @type {HTMLElement | null} */ (root.querySelector("[data-map-rounds]"));
  if (!place) return;
  const box = /** @type {HTMLInputElement | null} */ (root.querySelector("[data-map-layer=patrols]"));
  const group = L.layerGroup(), gapWords = JSON.parse(place.dataset.gaps ?? "{}");
  /** @type {Round[]} */
  let held = [];
  let ahead_ms = 0; // of the node's clock before this browser's
  let etag = "", asking = false, again = false, fitted = root.dataset.map !== "round";

  function draw() {
    group.clearLayers();
    for (const one of held) {
      if (one.route.length) group.addLayer(line(one.route, "map-route"));
      for (const [place, stretch] of one.stretches.entries()) drawStretch(one, stretch, one.stretches[place - 1]);
      if (one.last && one.state === "running") group.addLayer(dot(one));
    }
    if (!fitted && held.length) fit();
  }

  /** @param {Round} one @param {Stretch} stretch @param {Stretch | undefined} before */
  function drawStretch(one, [gap, device, places, from], before) {
    if (before && before[1] === device) {
      const [start, end] = [before[2][before[2].length - 1], places[0]];
      group.addLayer(line([start, end], "map-gap"));
      if (fitted && root.dataset.map !== "round" && map.getZoom() < WORDS_ZOOM) return group.addLayer(line(places, "map-track"));
      const words = `${place?.dataset.lost ?? ""} ${gapWords[gap] ?? gap} ${age(from - before[4], false)}`;
      const at = [(start[1] + end[1]) / 2, (start[0] + end[0]) / 2];
      group.addLayer(L.marker(at, { icon: L.divIcon({ className: "map-gap-word", html: text("span", words), iconSize: [0, 0] }), interactive: false, keyboard: false }));
    }
    group.addLayer(line(places, "map-track"));
  }

  /** @param {[number, number][]} places @param {string} className */
  const line = (places, className) => L.polyline(places.map(([lon, lat]) => [lat, lon]), { className, interactive: false });

  /** @param {Round} one */
  function dot(one) {
    const [lon, lat, at] = /** @type {[number, number, number]} */ (one.last);
    const old = Date.now() + ahead_ms - at, state = one.clock_ahead || old > OLD_MS ? "lost" : old > FRESH_MS ? "old" : "fresh";
    const words = one.clock_ahead ? place?.dataset.wrong ?? "" : age(old, true);
    const face = Object.assign(document.createElement("span"), { className: `map-team is-${state}` });
    face.append(Object.assign(document.createElement("i"), { className: `age-dot is-${state}` }), text("b", one.label), text("span", words));
    const icon = L.divIcon({ className: "map-hit map-team-hit", html: face, iconSize: [TOUCH, TOUCH], iconAnchor: [TOUCH / 2, TOUCH / 2] });
    const marker = L.marker([lat, lon], { icon, zIndexOffset: 500, riseOnHover: false });
    marker.on("add", () => marker.getElement()?.setAttribute("aria-label", `${one.label} ${words}`));
    marker.on("click", () => open(one.id, [lon, lat], one.label));
    return marker;
  }

  /** @param {number} ms @param {boolean} ago */
  function age(ms, ago) {
    const minutes = Math.floor(ms / 60_000);
    if (ago && minutes < 1) return place?.dataset.now ?? "";
    const words = (minutes < 120 ? place?.dataset.minutes : place?.dataset.hours) ?? "";
    const told = words.replace("0", String(minutes < 120 ? Math.max(minutes, 1) : Math.floor(ms / HOUR_MS)));
    return ago ? told : told.replace(/前$| ago$/, "");
  }

  /** The map of one round begins where that round is. */
  function fit() {
    const places = held.flatMap((one) => [...one.route, ...one.stretches.flatMap((stretch) => stretch[2]), ...(one.last ? [one.last.slice(0, 2)] : [])]);
    if (!places.length) return;
    fitted = true;
    map.fitBounds(L.latLngBounds(places.map(([lon, lat]) => [lat, lon])).pad(0.2), { animate: false, maxZoom: 16 });
  }

  async function ask() {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const answer = await fetch(place?.dataset.mapRounds ?? "", { headers: { "X-Tomoshibi-Background": "1", ...(etag ? { "If-None-Match": etag } : {}) } });
      ahead_ms = (Number(answer.headers.get("X-Tomoshibi-Now")) || Date.now()) - Date.now();
      if (answer.status === 200 && !answer.redirected) {
        etag = answer.headers.get("ETag") ?? "";
        held = await answer.json();
        draw();
        if (place) place.dataset.ready = String(held.length);
      }
    } catch {
      // The strip of the page says that the node does not answer; the doorbell rings again when it does.
    } finally {
      asking = false;
      if (again) {
        again = false;
        ask();
      }
    }
  }

  function toggle() {
    if (box?.checked ?? true) map.addLayer(group);
    else map.removeLayer(group);
  }

  root.addEventListener("map:layers", toggle);
  place.addEventListener("tomoshibi:refresh", ask);
  map.on("zoomend", () => { if (held.some((one) => one.stretches.length > 1)) draw(); });
  window.setInterval(() => document.hidden || draw(), AGE_MS); // a dot fades with no doorbell
  toggle();
  ask();
}

/** @param {string} name @param {string} words */
const text = (name, words) => Object.assign(document.createElement(name), { textContent: words });
