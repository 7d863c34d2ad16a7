// @ts-check
// The composer: Enter sends (never while an IME composes), Shift+Enter breaks the line, a quick reply is one tap.
import { forget } from "./draft.js";

/** @param {Element | null} box */
function toEnd(box) {
  if (!(box instanceof HTMLElement) || box.offsetParent === null || box.closest("details:not([open])")) return;
  if (box.scrollHeight > box.clientHeight + 4 && getComputedStyle(box).overflowY === "auto") box.scrollTop = box.scrollHeight;
  else if (box.closest(".chat-page")) {
    const composer = box.parentElement?.querySelector(".composer");
    if (composer && getComputedStyle(composer).position === "static") box.lastElementChild?.scrollIntoView({ block: "center" });
    else window.scrollTo(0, document.documentElement.scrollHeight);
  }
}

/** @param {Element} box */
function nearEnd(box) {
  const own = getComputedStyle(box).overflowY === "auto";
  const left = own ? box.scrollHeight - box.scrollTop - box.clientHeight
    : document.documentElement.scrollHeight - window.scrollY - window.innerHeight;
  return left < 160;
}

/** One clear sentence above the text, which stays as it is. @param {HTMLFormElement} form @param {string} words */
function say(form, words) {
  const place = form.querySelector("#composer-fault");
  if (!(place instanceof HTMLElement)) return;
  place.textContent = words;
  place.hidden = words === "";
  form.querySelector("textarea")?.setAttribute("aria-invalid", String(words !== ""));
}

/** @param {HTMLFormElement} form @param {string} text */
function tooLong(form, text) {
  const most = Number(form.dataset.charsMax), chars = [...text.trim()].length;
  if (!most || chars <= most) return "";
  return (form.dataset.tooLong ?? "").replace("{max}", most.toLocaleString("en")).replace("{n}", chars.toLocaleString("en"));
}

/** @param {HTMLFormElement} form */
function watch(form) {
  const text = form.querySelector("textarea");
  if (!text) return;
  /** @type {string[]} what is on its way, the oldest first */
  const sent = [];
  let withFiles = false;
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (text.value.trim() !== "") form.requestSubmit();
  });
  text.addEventListener("input", () => say(form, tooLong(form, text.value)));
  form.addEventListener("submit", (event) => {
    const quick = /** @type {SubmitEvent} */ (event).submitter?.getAttribute("name") === "phrase";
    const words = quick ? "" : tooLong(form, text.value), files = form.querySelector("input[name=attachments]:not([disabled])");
    if (!quick && Number(form.dataset.uploading ?? 0) > 0) { // a photo is being kept: it goes with the message, a moment later
      event.preventDefault();
      event.stopImmediatePropagation();
      form.addEventListener("files:settled", () => form.requestSubmit(), { once: true });
      return;
    }
    if (!words && (quick || files || text.value.trim() !== "")) return say(form, "");
    event.preventDefault();
    event.stopImmediatePropagation();
    say(form, words);
  }, true);
  form.addEventListener("files:known", () => form.querySelector(".add-files")?.setAttribute("open", "")); // of a draft
  form.addEventListener("htmx:configRequest", (event) => {
    const { elt, parameters } = /** @type {CustomEvent} */ (event).detail;
    if (elt !== form) return;
    sent.push(parameters.phrase ? "" : text.value);
    withFiles = !parameters.phrase && form.querySelector("input[name=attachments]:not([disabled])") !== null;
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    const detail = /** @type {CustomEvent} */ (event).detail;
    if (detail.elt !== form) return;
    const said = sent.shift() ?? "";
    if (!detail.successful) {
      if (detail.xhr.status !== 422) say(form, form.dataset.down ?? "");
      return;
    }
    say(form, "");
    if (withFiles) return forget(form); // the page is drawn anew, without them
    if (said === "" || !text.value.startsWith(said)) return;
    text.value = text.value.slice(said.length); // what was typed while it was on its way stays
    if (text.value === "") forget(form);
    else text.dispatchEvent(new Event("input", { bubbles: true }));
  });
  form.addEventListener("htmx:beforeSwap", (event) => {
    const detail = /** @type {CustomEvent} */ (event).detail;
    if (detail.xhr.status !== 422) return;
    detail.shouldSwap = true;
    detail.isError = false;
    detail.target = form.querySelector("#composer-fault");
    detail.swapOverride = "outerHTML";
  });
}

for (const form of document.querySelectorAll("form[data-composer]")) {
  if (form instanceof HTMLFormElement) watch(form);
}

let stay = true;
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.defaultPrevented) return;
  const target = /** @type {CustomEvent} */ (event).detail.target;
  if (target instanceof Element && target.matches(".messages")) stay = nearEnd(target);
});
document.addEventListener("htmx:afterSettle", (event) => {
  const box = document.getElementById(/** @type {Element} */ (event.target).id);
  if (box?.matches(".messages") && stay) toEnd(box);
});
for (const box of document.querySelectorAll(".messages")) toEnd(box);
// A chat that stood folded has no end to go to before it is opened.
document.addEventListener("toggle", (event) => {
  const box = event.target instanceof HTMLDetailsElement && event.target.open ? event.target.querySelector(".messages") : null;
  if (box) toEnd(box);
}, true);

// 既読 is said only of messages that stood on a visible page: not of a folded chat, nor of one further down the page.
const AGAIN_MS = 5_000;
let marked = "";
/** @param {HTMLElement} box */
function isSeen(box) {
  if (box.offsetParent === null || box.closest("details:not([open])")) return false;
  const { top, bottom } = box.getBoundingClientRect();
  return bottom > 0 && top < window.innerHeight;
}
async function markRead() {
  const box = document.querySelector(".messages[data-read-url]");
  if (!(box instanceof HTMLElement) || document.visibilityState !== "visible" || !isSeen(box)) return;
  const { upto = "", shown = "" } = box.dataset;
  if (shown === marked || box.dataset.unread === undefined) return;
  marked = shown;
  const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];
  const headers = { "X-CSRFToken": token, "X-Tomoshibi-Background": "1" };
  try {
    const answer = await fetch(box.dataset.readUrl ?? "", { method: "POST", headers, body: new URLSearchParams({ upto, shown }) });
    if (answer.status < 500) return;
  } catch {
    // the node does not answer
  }
  window.setTimeout(() => {
    if (marked !== shown) return;
    marked = "";
    void markRead();
  }, AGAIN_MS);
}
document.addEventListener("htmx:afterSettle", markRead);
document.addEventListener("visibilitychange", markRead);
document.addEventListener("toggle", markRead, true);
document.addEventListener("scroll", markRead, { capture: true, passive: true });
markRead();
