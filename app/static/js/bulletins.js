// @ts-check
// Notices: one tone when a new one stands in the menu, once a tab; 既読 is said where the last line of one was seen.
import { tellWhatIsSeen } from "./seen.js";
import { play } from "./sounds.js";

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

document.addEventListener("htmx:afterSettle", sound);
sound();
tellWhatIsSeen("data-notice");
