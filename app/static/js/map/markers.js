// @ts-check
// What people have told, on the map: reports as diamonds, shelters as boxes, rounds as discs. Only what changed is redrawn.
import { makeAhead } from "./ahead.js";

/**
 * @typedef {import("./frame.js").Frame} Frame
 * @typedef {{kind: string, card?: string, id: string, at: [number, number], rank: number, html: string, label: string, words: string, z?: number, weight?: number, width?: number}} Mark
 */
const URGENCIES = ["red", "yellow", "green", "white", "none"];
const GROUPS = ["open", "in_progress", "done"];
const PATROLS = ["safe", "caution", "cleared"];
const BAD = ["unusable", "closed"];
const AGE_MS = 60_000;
// The report that closes a road stands at the same place: its sign stands beside it, and so does what is touched.
const TOUCH = 48, ASIDE = -TOUCH / 3, BOX_HIGH = 34, NEAR = 0.1;

/** @param {Frame} frame @param {(kind: string, id: string, at: [number, number], words: string) => void} open */
export function showMarkers(frame, open) {
  const { root, skeleton, here } = frame;
  /** @type {Record<string, Map<string, {told: string, marker: any}>>} */
  const known = { reports: new Map(), closures: new Map(), patrols: new Map(), shelters: new Map() };
  /** @type {any} */
  let held = null;
  let etag = "", asking = false, again = false;
  const Icon = labelled(frame.L);
  layFlat(frame.L);
  skeleton.clusterIcon = (cluster) => clusterIcon(frame, Icon, cluster);
  for (const group of [skeleton.reports, skeleton.closures, skeleton.patrols]) keepNear(group);

  function draw() {
    if (!held) return;
    const groups = wantedGroups();
    const reports = held.reports.filter((/** @type {any[]} */ row) => groups.includes(GROUPS[row[4]]));
    change("reports", reports.map((/** @type {any[]} */ row) => reportMark(frame, row)));
    const closed = reports.filter((/** @type {any[]} */ row) => row[5] && row[4] !== 2).map((/** @type {any[]} */ row) => closureMark(frame, row));
    change("closures", [...closed, ...held.patrols.filter((/** @type {any[]} */ row) => row[5]).map((/** @type {any[]} */ row) => closureMark(frame, row, "patrols"))]);
    change("shelters", held.shelters.map((/** @type {any[]} */ row) => shelterMark(frame, row)));
    makeRoom();
    change("patrols", held.patrols.map((/** @type {any[]} */ row) => patrolMark(frame, row)));
  }

  /** @param {"reports" | "closures" | "patrols" | "shelters"} name @param {Mark[]} marks */
  function change(name, marks) {
    const group = skeleton[name], now = new Map(marks.map((mark) => [mark.id, mark]));
    const gone = [], come = [];
    for (const [id, { told, marker }] of known[name]) {
      const mark = now.get(id);
      if (mark && told === tell(mark)) continue;
      gone.push(marker);
      known[name].delete(id);
    }
    for (const mark of marks) {
      if (known[name].has(mark.id)) continue;
      const marker = makeMarker(frame, Icon, mark, open);
      known[name].set(mark.id, { told: tell(mark), marker });
      come.push(marker);
    }
    if (group.removeLayers) {
      if (gone.length) group.removeLayers(gone);
      if (come.length) group.addLayers(come);
    } else {
      for (const marker of gone) group.removeLayer(marker);
      for (const marker of come) group.addLayer(marker);
    }
  }

  /** At a small scale the boxes would hide one another: where two meet, the lesser one keeps only its sign. */
  function makeRoom() {
    /** @type {{x: number, y: number, width: number}[]} */
    const taken = [];
    const sites = [...known.shelters.values()].map(({ marker }) => marker).sort((a, b) => b.options.weight - a.options.weight);
    for (const marker of sites) {
      const { x, y } = frame.map.project(marker.getLatLng()), width = marker.options.width;
      const free = taken.every((one) => Math.abs(one.x - x) > (one.width + width) / 2 || Math.abs(one.y - y) > BOX_HIGH);
      if (free) taken.push({ x, y, width });
      marker.getElement()?.firstElementChild?.classList.toggle("s-tiny", !free);
    }
  }

  async function ask() {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const answer = await fetch(`${here}/map/data`, { headers: { "X-Tomoshibi-Background": "1", ...(etag ? { "If-None-Match": etag } : {}) } });
      if (answer.status === 200) {
        etag = answer.headers.get("ETag") ?? "";
        held = await answer.json();
        draw();
        root.dataset.ready = String(held.reports.length);
        root.dispatchEvent(new CustomEvent("map:data", { detail: held }));
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

  makeAhead(frame, ["reports", "closures", "patrols"]);
  frame.map.on("zoomend", makeRoom);
  skeleton.shelters.on("add", makeRoom);
  root.addEventListener("tomoshibi:refresh", ask);
  window.setInterval(() => document.hidden || ask(), AGE_MS); // a count grows old with no doorbell
  if (frame.mode === "front") document.addEventListener("change", (event) => event.target instanceof HTMLInputElement && event.target.name === "group" && draw());
  ask();
  return { ask };
}

/** On the front page the checkboxes of the count block filter the map, too. */
function wantedGroups() {
  const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll(".count-block input[name=group]"));
  return boxes.length ? [...boxes].filter((box) => box.checked).map((box) => box.value) : GROUPS;
}

/** @param {Mark} mark */
const tell = (mark) => `${mark.at} ${mark.rank} ${mark.html}`;

/** An icon whose element says in words what it shows; a marker that comes back into view gets its own again. @param {any} L */
function labelled(L) {
  /** @type {Map<string, Element>} the parsed signs, by their markup: to parse 130 at each zoom took 14 ms */
  const signs = new Map();
  return L.DivIcon.extend({
    options: { iconSize: [TOUCH, TOUCH], iconAnchor: [TOUCH / 2, TOUCH / 2] },
    createIcon() {
      if (this.element) return this.element;
      const { html, label, className, count } = this.options;
      if (!signs.has(html)) signs.set(html, Object.assign(document.createElement("div"), { innerHTML: html }));
      const element = /** @type {HTMLElement} */ (signs.get(html)?.cloneNode(true));
      if (count) element.append(Object.assign(document.createElement("b"), { textContent: String(count) }));
      element.setAttribute("aria-label", label);
      this._setIconStyles(element, "icon");
      element.classList.add(...className.split(" "));
      this.element = element;
      return element;
    },
  });
}

/** Leaflet gives every marker a transform in space, hence a layer of its own to put together again at each frame. @param {any} L */
function layFlat(L) {
  L.Marker.include({
    /** @param {any} at */
    _setPos(at) {
      this._icon._leaflet_pos = at;
      Object.assign(this._icon.style, { left: `${at.x}px`, top: `${at.y}px` });
      this._zIndex = at.y + this.options.zIndexOffset;
      this._resetZIndex();
    },
  });
}

/** The cluster keeps markers of nine screens in the page; a zoom then redraws 1,000 of them. @param {any} group */
function keepNear(group) {
  group._getExpandedVisibleBounds = function expanded() {
    return this._checkBoundsMaxLat(this._map.getBounds().pad(NEAR));
  };
}

/** @param {Frame} frame @param {any} Icon @param {Mark} mark @param {(kind: string, id: string, at: [number, number], words: string) => void} open */
function makeMarker({ L }, Icon, mark, open) {
  const icon = new Icon({ className: "map-hit", html: mark.html, label: mark.label, ...(mark.kind === "closures" && { iconAnchor: [ASIDE, TOUCH / 2] }) });
  const marker = L.marker([mark.at[1], mark.at[0]], { icon, rank: mark.rank, kind: mark.kind, zIndexOffset: mark.z ?? 0, weight: mark.weight, width: mark.width, riseOnHover: false });
  marker.on("click", () => open(mark.card ?? mark.kind, mark.id, mark.at, mark.words));
  return marker;
}

/** @param {Frame} frame @param {any[]} row @returns {Mark} */
function reportMark({ words }, [id, lon, lat, urgency, group]) {
  const name = URGENCIES[urgency], short = words.urgencies[urgency], state = words.groups[group];
  const html = `<span class="map-mark is-report u-${name} s-${GROUPS[group]}"><i>${short}</i></span>`;
  return { kind: "reports", label: `${words.report} ${short} ${state}`, id, at: [lon, lat], rank: group === 2 ? 5 + urgency : urgency, html, words: words.report };
}

/** @param {Frame} frame @param {any[]} row @param {string} [card] whose card says more @returns {Mark} */
function closureMark({ words }, [id, lon, lat], card = "closures") {
  const html = `<span class="map-mark is-closure"></span>`;
  return { kind: "closures", card, label: words.closure, id, at: [lon, lat], rank: 0, html, words: words.closure };
}

/** @param {Frame} frame @param {any[]} row @returns {Mark} */
function patrolMark({ words }, [id, lon, lat, status]) {
  const html = `<span class="map-mark is-patrol s-${PATROLS[status]}"><i>${words.patrol}</i></span>`;
  return { kind: "patrols", label: `${words.round} ${words.patrols[status]}`, id, at: [lon, lat], rank: status === 1 ? 0 : 1 + status, html, words: words.patrols[status] };
}

/** @param {Frame} frame @param {any[]} row @returns {Mark} */
function shelterMark({ words }, [id, lon, lat, name, status, people, old]) {
  const bad = BAD.includes(status), open = ["open", "full", "closing"].includes(status);
  const classes = `${bad ? "s-bad" : open ? "" : "s-shut"} ${old ? "s-aged" : ""}`;
  const count = bad ? `<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><use href="${words.icons}#m-cross"/></svg>` : people === null ? (open ? "<i>―</i>" : "") : `<i>${people.toLocaleString()}</i>`;
  const html = `<span class="map-mark is-site ${classes}"><svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><use href="${words.icons}#home"/></svg>${count}</span>`;
  return { kind: "shelters", label: `${name} ${words.statuses[status] ?? ""} ${people ?? ""}`, id, at: [lon, lat], rank: 0, html, words: words.shelter, z: open ? 200 : -200,
    weight: (open ? 1e6 : 0) + (old || bad ? 1e7 : 0) + (people ?? 0), width: people === null ? 44 : 42 + 9 * String(people).length };
}

/** Coloured by its worst member, with the number of them. @param {Frame} frame @param {any} Icon @param {any} cluster */
function clusterIcon({ words }, Icon, cluster) {
  const members = cluster.getAllChildMarkers(), kind = members[0].options.kind;
  const worst = members.reduce((/** @type {number} */ least, /** @type {any} */ one) => Math.min(least, one.options.rank), 99);
  let html = `<span class="map-mark is-closure"></span>`, label = `${words.closure} ${members.length}`;
  if (kind === "reports") {
    const urgency = worst % 5;
    html = `<span class="map-mark is-report u-${URGENCIES[urgency]} ${worst >= 5 ? "s-done" : ""}"><i>${words.urgencies[urgency]}</i></span>`;
    label = `${words.report} ${words.urgencies[urgency]} ${members.length}`;
  } else if (kind === "patrols") {
    html = `<span class="map-mark is-patrol s-${["caution", "safe", "safe", "cleared"][worst]}"><i>${words.patrol}</i></span>`;
    label = `${words.round} ${members.length}`;
  }
  return new Icon({ className: "map-hit map-cluster", html, label, count: members.length, ...(kind === "closures" && { iconAnchor: [ASIDE, TOUCH / 2] }) });
}
