// @ts-check
// Hints from the node: which topics changed. The page asks for the fragment again through its view.
// The first hint is answered at once (a chat line must not wait), later ones are gathered for 200 ms.
const GATHER_MS = 200, LEAVING_MS = 10_000;
const CLICK_MS = 50, HELD_MS_MAX = 5_000; // a click comes a moment after its finger is gone
const html = document.documentElement;
/** Places by id: a swap may put a new element in the old one's place. @type {Map<string, {again: boolean}>} */
const gathering = new Map();

// What somebody has typed or chosen and not sent yet stays while the page is drawn anew around it, and what they have
// unfolded stays unfolded below the finger.
const { Idiomorph } = /** @type {any} */ (window);
if (Idiomorph) {
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (/** @type {Node} */ node, /** @type {Node} */ drawn) =>
    !(isSameField(node, drawn) && isTouched(node));
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (/** @type {string} */ name, /** @type {Element} */ node) =>
    !(name === "open" && node instanceof HTMLDetailsElement);
}

/** Whether the new drawing has the field itself in its place, and not another one. @param {Node} node @param {Node} drawn */
function isSameField(node, drawn) {
  if (!(node instanceof Element && drawn instanceof Element) || node.id !== drawn.id) return false;
  if (node.getAttribute("name") !== drawn.getAttribute("name")) return false;
  return !(node instanceof HTMLInputElement && isTick(node)) || node.value === drawn.getAttribute("value");
}

/** @param {HTMLInputElement} field */
function isTick(field) {
  return ["checkbox", "radio"].includes(field.type);
}

/** @param {Node} node */
function isTouched(node) {
  if (node instanceof HTMLTextAreaElement) return node.value !== node.defaultValue;
  if (node instanceof HTMLInputElement) {
    if (node.type === "hidden") return false;
    return isTick(node) ? node.checked !== node.defaultChecked : node.value !== node.defaultValue;
  }
  if (!(node instanceof HTMLSelectElement) || node.multiple) return false;
  const drawn = [...node.options].findIndex((option) => option.defaultSelected);
  return node.selectedIndex !== Math.max(0, drawn);
}

/** @param {string[]} topics */
function refresh(topics) {
  for (const place of document.querySelectorAll("[data-topics]")) {
    const wanted = (place.getAttribute("data-topics") ?? "").split(" ");
    if (topics.some((topic) => wanted.includes(topic))) ask(place);
  }
}

// A list never jumps under a finger: from the touch to the click that comes of it nothing is drawn anew that would move it.
/** @type {Element | null} */
let pressed = null;
let released = 0, pressedAt = 0;
document.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary) return;
  window.clearTimeout(released);
  pressed = event.target instanceof Element ? event.target : null;
  pressedAt = Date.now();
}, true);
for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
  document.addEventListener(name, (event) => {
    if (!event.isPrimary) return;
    window.clearTimeout(released);
    released = window.setTimeout(() => { pressed = null; }, CLICK_MS);
  }, true);
}

/** Below the finger, or before what is below it: that would move it. @param {Element} place */
function isHeld(place) {
  if (!pressed || Date.now() - pressedAt > HELD_MS_MAX) return false; // one that went up outside the window is never told
  return place.contains(pressed) || Boolean(place.compareDocumentPosition(pressed) & Node.DOCUMENT_POSITION_FOLLOWING);
}

/** @type {Set<string>} */
const later = new Set();
/** When the finger may be gone. @param {string} id */
function askLater(id) {
  if (later.has(id)) return;
  later.add(id);
  window.setTimeout(() => {
    later.delete(id);
    const place = document.getElementById(id);
    if (place) ask(place);
  }, GATHER_MS);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig } = /** @type {CustomEvent} */ (event).detail;
  if (!isByItself(requestConfig?.triggeringEvent) || !isHeld(target)) return;
  event.preventDefault();
  askLater(target.id);
});

/** A hint, or the minute that is over; no tap. @param {Event | undefined} cause */
function isByItself(cause) {
  return !cause || cause.type === "tomoshibi:refresh";
}

/** @param {Element} place */
function ask(place) {
  if (isHeld(place)) return askLater(place.id);
  const waiting = gathering.get(place.id);
  if (waiting) {
    waiting.again = true;
    return;
  }
  gathering.set(place.id, { again: false });
  window.setTimeout(() => finish(place.id), GATHER_MS);
  place.dispatchEvent(new CustomEvent("tomoshibi:refresh", { bubbles: false }));
}

/** @param {string} id */
function finish(id) {
  const again = gathering.get(id)?.again;
  gathering.delete(id);
  const place = document.getElementById(id);
  if (again && place) ask(place);
}

/** Everything on the page may have changed while the socket was away. */
function refreshAll() {
  for (const place of document.querySelectorAll("[data-topics]")) ask(place);
}

/** @param {boolean} up */
function showSocket(up) {
  html.dataset.live = up ? "up" : "down";
  const strip = document.getElementById("live-stopped");
  if (strip) strip.hidden = up;
}

// What a page asks by itself keeps no session alive: only a person's touch does.
document.addEventListener("htmx:configRequest", (event) => {
  const detail = /** @type {CustomEvent} */ (event).detail;
  if (isByItself(detail.triggeringEvent)) detail.headers["X-Tomoshibi-Background"] = "1";
});

// Whoever hands over or locks is on the way: an answer to what the page had asked before, with a login that has ended
// since, would lead them to the login instead.
let leftAt = 0;
document.addEventListener("submit", (event) => {
  if (event.target instanceof HTMLElement && event.target.matches("form.switch, form.lock")) leftAt = Date.now();
});
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr } = /** @type {CustomEvent} */ (event).detail;
  if (xhr.status === 401 && Date.now() - leftAt < LEAVING_MS) event.preventDefault();
});

function connect() {
  const place = document.querySelector("[data-live-page]");
  // @ts-ignore: a classic script of the vendor folder
  const client = window.io;
  if (!place || !client) return;
  const socket = client("/live", { transports: ["websocket"], reconnectionDelayMax: 2000 });
  let stopped = 0;
  socket.on("connect", () => {
    window.clearTimeout(stopped);
    showSocket(true);
    refreshAll();
  });
  socket.on("disconnect", () => {
    stopped = window.setTimeout(() => showSocket(false), 5000);
  });
  socket.on("changed", (/** @type {{topics: string[]}} */ hint) => refresh(hint.topics));
  socket.on("locked", () => {
    const here = encodeURIComponent(window.location.pathname + window.location.search);
    if (document.body.dataset.lock) window.location.assign(`${document.body.dataset.lock}?back=${here}`);
  });
  window.addEventListener("pagehide", () => socket.disconnect());
}

// Not before htmx listens, from this moment on: what is asked for anew on connecting would be heard by nobody.
document.addEventListener("DOMContentLoaded", connect, { once: true });
