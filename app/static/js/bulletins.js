// @ts-check
// Notices: one tone when a new one stands in the menu, once a tab; and 既読 is said only of a notice whose last line
// really stood on a visible page for a moment.
import { play } from "./sounds.js";

const SEEN_AFTER_MS = 700;
const HEARD = "tomoshibi:notices-heard";

/** @returns {string[]} */
function waiting() {
  return (document.getElementById("nav")?.getAttribute("data-bulletins") ?? "").split(" ").filter(Boolean);
}

/** @returns {string[]} */
function heard() {
  try {
    return JSON.parse(sessionStorage.getItem(HEARD) ?? "[]");
  } catch {
    return [];
  }
}

function sound() {
  const now = waiting(), before = new Set(heard());
  if (now.some((one) => !before.has(one))) play("message");
  sessionStorage.setItem(HEARD, JSON.stringify(now));
}

/** @type {Set<string>} */
const told = new Set();
let timer = 0;
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    window.clearTimeout(timer);
    if (entry.isIntersecting) timer = window.setTimeout(() => void tell(entry.target), SEEN_AFTER_MS);
  }
});

/** @param {Element} end */
async function tell(end) {
  const id = end.getAttribute("data-notice") ?? "";
  const url = end.getAttribute("data-see-url");
  if (!url || told.has(id) || document.visibilityState !== "visible") return;
  told.add(id);
  const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];
  const headers = { "X-CSRFToken": token, "X-Tomoshibi-Background": "1" };
  try {
    const answer = await fetch(url, { method: "POST", headers, body: new URLSearchParams({ id }) });
    if (!answer.ok) told.delete(id);
  } catch {
    told.delete(id); // the node does not answer: said again when the page is drawn anew
  }
}

function watch() {
  const end = document.querySelector("[data-notice]");
  if (!end || told.has(end.getAttribute("data-notice") ?? "")) return;
  watcher.unobserve(end);
  watcher.observe(end);
}

document.addEventListener("htmx:afterSettle", () => {
  watch();
  sound();
});
document.addEventListener("visibilitychange", watch);
watch();
sound();
