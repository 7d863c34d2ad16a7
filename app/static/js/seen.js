// @ts-check
// 既読 and 表示 are said only of what really stood on a visible page for a moment, once a page.
const SEEN_AFTER_MS = 700;

/**
 * Tells the node of each element with `attribute`, which holds its id; the address stands on it or around it.
 * What does not get through is told when it is seen again.
 * @param {string} attribute
 * @param {number} [share] of the element that must be in sight
 */
export function tellWhatIsSeen(attribute, share = 0) {
  /** @type {Set<string>} */
  const told = new Set();
  /** @type {Map<Element, {id: string, timer: number}>} */
  const standing = new Map();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      window.clearTimeout(standing.get(target)?.timer);
      standing.delete(target);
      if (!isIntersecting) continue;
      const id = idOf(target);
      standing.set(target, { id, timer: window.setTimeout(() => void tell(target, id), SEEN_AFTER_MS) });
    }
  }, { threshold: share });

  /** @param {Element} element */
  function idOf(element) {
    return element.getAttribute(attribute) ?? "";
  }

  /** @param {Element} element @param {string} id what it showed when it came into sight */
  async function tell(element, id) {
    standing.delete(element);
    const url = element.closest("[data-see-url]")?.getAttribute("data-see-url");
    if (!url || id !== idOf(element) || told.has(id) || document.visibilityState !== "visible") return;
    told.add(id);
    const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];
    const headers = { "X-CSRFToken": token, "X-Tomoshibi-Background": "1" };
    try {
      const answer = await fetch(url, { method: "POST", headers, body: new URLSearchParams({ id }) });
      if (!answer.ok) told.delete(id);
    } catch {
      told.delete(id); // the node does not answer
    }
  }

  // What stands in sight goes on standing: other parts of the page may be drawn anew more often than the moment lasts.
  function watch() {
    for (const element of document.querySelectorAll(`[${attribute}]`)) {
      const id = idOf(element);
      if (told.has(id) || standing.get(element)?.id === id) continue;
      watcher.unobserve(element);
      watcher.observe(element);
    }
  }

  document.addEventListener("htmx:afterSettle", watch);
  document.addEventListener("visibilitychange", watch);
  watch();
}
