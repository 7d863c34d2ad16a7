// @ts-check
// A tap on the map: a cross where it was, and in the panel what stands there and how deep the water may come.

/** @typedef {import("./frame.js").Frame} Frame */

const PLACES = 6, MARGIN = 72;
const CARDS = { reports: "reports", closures: "reports", shelters: "shelters", patrols: "patrols", rounds: "rounds" };

/** @param {Frame} frame */
export function watchTaps(frame) {
  const { map, L, root, here } = frame;
  const panel = /** @type {HTMLElement | null} */ (root.parentElement?.querySelector("[data-map-panel]"));
  const pattern = /** @type {HTMLTemplateElement | null} */ (document.querySelector("template[data-map-here]"));
  const cross = L.marker([0, 0], { interactive: false, keyboard: false, zIndexOffset: 1000,
    icon: L.divIcon({ className: "map-tapped", html: crossHtml(root), iconSize: [56, 56], iconAnchor: [28, 28] }) });
  const first = panel?.innerHTML ?? "";
  let turn = 0;

  /** @param {[number, number]} at lon, lat @param {string} [words] @param {string} [card] the address of a card */
  async function open(at, words = "", card = "") {
    if (!panel || !pattern) return;
    const mine = (turn += 1);
    const [lon, lat] = at.map((one) => one.toFixed(PLACES));
    cross.setLatLng([at[1], at[0]]).addTo(map);
    const content = /** @type {HTMLElement} */ (pattern.content.firstElementChild?.cloneNode(true));
    const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (content.querySelector(`[data-map-${name}]`));
    find("place").textContent = words || `${Number(lat).toFixed(5)}, ${Number(lon).toFixed(5)}`;
    const report = /** @type {HTMLAnchorElement} */ (find("report"));
    report.href = `${here}/damage-reports/new?lon=${lon}&lat=${lat}&location_source=map`;
    report.hidden = !("mayReport" in root.dataset);
    find("close").addEventListener("click", close);
    panel.replaceChildren(content);
    if (panel.parentElement) panel.parentElement.hidden = false;
    map.invalidateSize({ animate: false });
    map.panInside([at[1], at[0]], { padding: [MARGIN, MARGIN], animate: false });
    const [said, depth] = await Promise.all([card ? ask(card) : "", ask(`${here}/hazard?lon=${lon}&lat=${lat}`)]);
    if (mine !== turn) return;
    find("card").innerHTML = said;
    find("depth").innerHTML = depth;
    find("no-depth").hidden = Boolean(depth);
    // @ts-ignore: a classic script of the vendor folder
    window.htmx?.process(content);
    root.dispatchEvent(new CustomEvent("map:answered"));
  }

  function close() {
    turn += 1;
    cross.remove();
    if (!panel) return;
    panel.innerHTML = first;
    if (panel.parentElement?.classList.contains("map-floating")) panel.parentElement.hidden = true;
    map.getContainer().focus();
  }

  map.on("click", (/** @type {any} */ event) => open([event.latlng.lng, event.latlng.lat]));
  map.getContainer().addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.target !== map.getContainer()) return;
    const { lng, lat } = map.getCenter();
    if (event.key === "Enter") open([lng, lat]);
    if (event.key === "Escape") close();
  });
  /** @param {keyof typeof CARDS} kind @param {string} id @param {[number, number]} at @param {string} words */
  const openMark = (kind, id, at, words) => open(at, words, `${here}/map/${CARDS[kind]}/${id}`);
  return { open, openMark, close };
}

/** The node's words, or nothing where it has none for this. @param {string} address */
async function ask(address) {
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    return answer.ok && !answer.redirected ? await answer.text() : "";
  } catch {
    return "";
  }
}

/** @param {HTMLElement} root */
function crossHtml(root) {
  return root.querySelector("[data-map-cross]")?.innerHTML ?? "";
}
