// @ts-check
// Printing: the map is laid out for the paper and drawn in black on white before the print dialogue opens.

/** @typedef {import("./frame.js").Frame} Frame */

const WAIT_MS_MAX = 4000;

/** @param {Frame} frame @param {{repaint: (printing?: boolean) => void, drawn: () => Promise<unknown>}} layers */
export function watchPrint({ root, map }, { repaint, drawn }) {
  const paper = /** @type {HTMLSelectElement | null} */ (root.querySelector("[data-map-paper]"));
  const button = root.querySelector("[data-map-print-go]");
  if (!paper || !button) return;
  const html = document.documentElement, sheet = new CSSStyleSheet();
  /** @type {HTMLDetailsElement[]} */
  const opened = [];

  /** @param {string} size */
  async function layOut(size) {
    const centre = map.getCenter();
    html.dataset.mapPaper = size;
    // The size of a page cannot hang on anything in the page: all sheets of this system are A4, and this one may not be.
    sheet.replaceSync(`@page { size: ${size.toUpperCase()}; }`);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    map.invalidateSize({ animate: false });
    map.setView(centre, map.getZoom(), { animate: false });
    repaint(true);
    openLegend();
    // Tiles come from the node; a page that waits for ever prints nothing.
    await Promise.race([drawn(), new Promise((done) => window.setTimeout(done, WAIT_MS_MAX))]);
    await new Promise((done) => requestAnimationFrame(() => window.setTimeout(done, 0)));
  }

  /** A closed part of the legend cannot be opened on paper. */
  function openLegend() {
    for (const part of /** @type {NodeListOf<HTMLDetailsElement>} */ (root.querySelectorAll(".map-legend, .map-legend details"))) {
      if (part.open) continue;
      part.open = true;
      opened.push(part);
    }
  }

  function putBack() {
    if (!html.dataset.mapPaper) return;
    delete html.dataset.mapPaper;
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    for (const part of opened.splice(0)) part.open = false;
    map.invalidateSize({ animate: false });
    repaint();
  }

  button.addEventListener("click", async () => {
    await layOut(paper.value);
    window.print();
    putBack();
  });
  window.addEventListener("beforeprint", () => { if (!html.dataset.mapPaper) repaint(true); });
  window.addEventListener("afterprint", () => { if (!html.dataset.mapPaper) repaint(); });
}
