// @ts-check
// Instructions that wait for whoever sits here: sounded when they come, the urgent ones again every five minutes until
// they are answered; and 表示 is said only of cards that really stood on a visible page.
import { play } from "./sounds.js";

const AGAIN_MS = 5 * 60_000;
const SEEN_AFTER_MS = 700;
const HEARD = "tomoshibi:heard";

/** @returns {string[]} */
function words(/** @type {string} */ name) {
  return (document.getElementById("nav")?.getAttribute(name) ?? "").split(" ").filter(Boolean);
}

/** When each instruction was last sounded, over page changes of this tab. @returns {Record<string, number>} */
function heard() {
  try {
    return JSON.parse(sessionStorage.getItem(HEARD) ?? "{}");
  } catch {
    return {};
  }
}

function sound() {
  const urgent = words("data-urgent");
  const waiting = words("data-waiting");
  const before = heard();
  const now = Date.now();
  const due = urgent.filter((id) => now - (before[id] ?? 0) >= AGAIN_MS);
  const rings = due.length > 0; // for all that wait: each by its own time, they would ring one after the other
  const fresh = waiting.filter((id) => !(id in before));
  if (rings) play("urgent");
  else if (fresh.length > 0) play("order");
  const after = Object.fromEntries(waiting.map((id) => [id, rings && urgent.includes(id) ? now : before[id] ?? now]));
  sessionStorage.setItem(HEARD, JSON.stringify(after));
}

/** @type {Set<string>} */
const told = new Set();
/** @type {Map<Element, number>} */
const standing = new Map();
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    window.clearTimeout(standing.get(entry.target));
    if (entry.isIntersecting) standing.set(entry.target, window.setTimeout(() => void tell(entry.target), SEEN_AFTER_MS));
    else standing.delete(entry.target);
  }
}, { threshold: 0.6 });

/** @param {Element} card */
async function tell(card) {
  const id = card.getAttribute("data-order") ?? "";
  const url = card.closest("[data-see-url]")?.getAttribute("data-see-url");
  if (!url || told.has(id) || document.visibilityState !== "visible") return;
  told.add(id);
  const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];
  const answer = await fetch(url, { method: "POST", headers: { "X-CSRFToken": token }, body: new URLSearchParams({ id }) });
  if (!answer.ok) told.delete(id);
}

function watch() {
  for (const card of document.querySelectorAll("[data-order]")) {
    if (!told.has(card.getAttribute("data-order") ?? "")) {
      watcher.unobserve(card);
      watcher.observe(card);
    }
  }
}

document.addEventListener("htmx:afterSettle", () => {
  watch();
  sound();
});
document.addEventListener("visibilitychange", () => {
  standing.clear();
  watch();
});
window.setInterval(sound, 15_000);
watch();
sound();

// The reasons open below what was tapped: on a phone that is behind the bar.
document.addEventListener("toggle", (event) => {
  const opened = event.target instanceof HTMLDetailsElement && event.target.open ? event.target : null;
  if (opened?.matches(".cannot, .confirm")) opened.scrollIntoView({ block: "center" });
}, true);
