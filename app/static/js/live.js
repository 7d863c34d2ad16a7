// @ts-check
// Hints from the node: which topics changed. The page asks for the fragment again through its view.
// The first hint is answered at once (a chat line must not wait), later ones are gathered for 200 ms.
const GATHER_MS = 200;
const html = document.documentElement;
/** @type {Map<Element, {timer: number | undefined, again: boolean}>} */
const gathering = new Map();

/** @param {string[]} topics */
function refresh(topics) {
  for (const place of document.querySelectorAll("[data-topics]")) {
    const wanted = (place.getAttribute("data-topics") ?? "").split(" ");
    if (topics.some((topic) => wanted.includes(topic))) ask(place);
  }
}

/** @param {Element} place */
function ask(place) {
  const key = document.getElementById(place.id) ?? place;
  const waiting = gathering.get(key);
  if (waiting) {
    waiting.again = true;
    return;
  }
  const state = { again: false, timer: window.setTimeout(() => finish(key), GATHER_MS) };
  gathering.set(key, state);
  key.dispatchEvent(new CustomEvent("tomoshibi:refresh", { bubbles: false }));
}

/** @param {Element} key */
function finish(key) {
  const state = gathering.get(key);
  gathering.delete(key);
  if (state?.again && key.isConnected) ask(key);
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

export function connect() {
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
  window.addEventListener("pagehide", () => socket.disconnect());
}

connect();
