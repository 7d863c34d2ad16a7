// @ts-check
// A list never jumps under a finger: while it is scrolled or holds the focus, a new answer waits behind 「新着 n件」.

/** @param {Element} list */
function isHeld(list) {
  const scroller = list.closest(".scroll");
  const own = scroller && getComputedStyle(scroller).overflowY === "auto";
  const scrolled = own ? scroller.scrollTop > 24 : list.getBoundingClientRect().top < -24;
  return scrolled || list.matches(":focus-within");
}

/** @param {Document | Element} root @returns {Set<string>} */
function keys(root) {
  return new Set([...root.querySelectorAll("[data-row]")].map((row) => row.getAttribute("data-row") ?? ""));
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.defaultPrevented) return; // asked for again when the finger is gone
  const { target, xhr, requestConfig } = /** @type {CustomEvent} */ (event).detail;
  if (!(target instanceof Element) || !target.matches("[data-holds]")) return;
  if (requestConfig?.triggeringEvent?.type !== "tomoshibi:refresh" || !isHeld(target)) return;
  const fresh = keys(new DOMParser().parseFromString(xhr.responseText, "text/html"));
  const shown = keys(target);
  const news = [...fresh].filter((key) => !shown.has(key)).length;
  if (news === 0) return;
  /** @type {CustomEvent} */ (event).detail.shouldSwap = false;
  const place = document.getElementById(target.getAttribute("data-holds") ?? "");
  const words = place?.querySelector("[data-words]");
  if (!place || !(words instanceof HTMLElement)) return;
  words.textContent = (words.dataset.words ?? "").replace("0", String(news));
  place.classList.add("some");
});

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-show-new]") : null;
  if (!button) return;
  const list = document.getElementById(button.getAttribute("data-show-new") ?? "");
  const scroller = list?.closest(".scroll");
  if (scroller) scroller.scrollTop = 0;
  list?.scrollIntoView({ block: "start" });
  button.closest(".new-rows")?.classList.remove("some");
  if (button instanceof HTMLElement) button.blur();
  list?.dispatchEvent(new CustomEvent("tomoshibi:show"));
});
