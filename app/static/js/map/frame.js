// @ts-check
// The skeleton that the node composed: loads what it needs, once, and gives the map with its groups to the other modules.

/**
 * @typedef {{id: string, kind: string, tiles: string, zooms: [number, number], box: number[] | null, on: boolean, by: string,
 *   classes: Record<string, [string, string]> | null, pictures: boolean}} Layer
 * @typedef {{map: any, reports: any, closures: any, patrols: any, shelters: any, layers: Layer[], home: number[] | null,
 *   japan: number[], clusterIcon?: (cluster: any) => any}} Skeleton
 * @typedef {{root: HTMLElement, mode: string, words: any, here: string, skeleton: Skeleton, map: any, L: any,
 *   keep: Keep}} Frame
 */

/** What this device remembers of the map: its view, its layers, its opacity. */
export class Keep {
  /** @param {string} name */
  constructor(name) {
    this.name = `tomoshibi:map:${name}`;
    try {
      this.values = JSON.parse(localStorage.getItem(this.name) ?? "{}") ?? {};
    } catch {
      this.values = {};
    }
  }

  /** @param {string} key @param {any} [otherwise] */
  get(key, otherwise) {
    return this.values[key] ?? otherwise;
  }

  /** @param {string} key @param {any} value */
  set(key, value) {
    this.values[key] = value;
    try {
      localStorage.setItem(this.name, JSON.stringify(this.values));
    } catch {
      // A full or forbidden store loses a view, never a record.
    }
  }
}

/** @param {HTMLElement} root @returns {Promise<Frame>} */
export async function openFrame(root) {
  for (const address of JSON.parse(root.dataset.styles ?? "[]")) addStyle(address);
  await Promise.all(JSON.parse(root.dataset.scripts ?? "[]").map(addScript));
  // @ts-ignore: classic scripts of the vendor folder and of the node
  const { tomoshibiMap: skeleton, L } = window;
  if (!skeleton || !L) throw new Error("the map's skeleton did not come");
  const words = JSON.parse(root.dataset.words ?? "{}");
  const mode = root.dataset.map ?? "page";
  const keep = new Keep(mode === "place" ? "page" : mode);
  return { root, mode, words, here: root.dataset.here ?? "", skeleton, map: skeleton.map, L, keep };
}

/** @param {string} address */
function addStyle(address) {
  if (document.querySelector(`link[href="${address}"]`)) return;
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: address }));
}

/** Scripts that the page named itself have run before any module. @param {string} address */
function addScript(address) {
  if (document.querySelector(`script[src="${address}"]`)) return Promise.resolve();
  return new Promise((done, failed) => {
    const script = Object.assign(document.createElement("script"), { src: address, async: false });
    script.addEventListener("load", () => done(undefined));
    script.addEventListener("error", () => failed(new Error(address)));
    document.head.append(script);
  });
}

/** Bounds that Leaflet understands. @param {any} L @param {number[]} box west, south, east, north */
export function bounds(L, [west, south, east, north]) {
  return L.latLngBounds([south, west], [north, east]);
}

/** When nothing else is to be done; where a browser cannot tell (Safari), at the next turn. @returns {Promise<void>} */
export const idle = () => new Promise((done) => (window.requestIdleCallback ?? window.setTimeout)(() => done()));
