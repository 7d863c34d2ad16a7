// @ts-check
// Instructions that wait for whoever sits here: sounded when they come, the urgent ones again every five minutes until
// they are answered; 表示 is said of the cards that were seen.
import { tellWhatIsSeen } from "./seen.js";
import { play } from "./sounds.js";

const AGAIN_MS = 5 * 60_000;
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

document.addEventListener("htmx:afterSettle", sound);
window.setInterval(sound, 15_000);
sound();
tellWhatIsSeen("data-order", 0.6);

// The reasons open below what was tapped: on a phone that is behind the bar.
document.addEventListener("toggle", (event) => {
  const opened = event.target instanceof HTMLDetailsElement && event.target.open ? event.target : null;
  if (opened?.matches(".cannot, .confirm")) opened.scrollIntoView({ block: "center" });
}, true);
