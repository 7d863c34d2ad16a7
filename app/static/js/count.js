// @ts-check
// The counter: + and − beside each number, the total on the report button, and what was counted kept in this browser.
// Without this file the numbers are typed, and the form is sent all the same.
import { drop, get, put } from "./vault.js";

const PREFIX = "count:";
const AGE_MS_MAX = 12 * 3600 * 1000;
const PARTS = ["male", "female", "other"];

/** @param {HTMLFormElement} form @param {string} name @returns {HTMLInputElement} */
function box(form, name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

/** @param {HTMLInputElement} input @returns {number | null} */
function read(input) {
  const digits = input.value.normalize("NFKC").replaceAll(",", "").trim();
  return /^[0-9]+$/.test(digits) ? Number(digits) : null;
}

/** Who comes in through a part (男, 女) comes into the total as well. @param {HTMLFormElement} form @param {string} name @param {number} by */
function step(form, name, by) {
  for (const each of PARTS.includes(name) ? [name, "total"] : [name]) {
    const input = box(form, each);
    input.value = String(Math.max(0, (read(input) ?? 0) + by));
  }
  form.dispatchEvent(new Event("input"));
}

/** @param {HTMLFormElement} form */
function show(form) {
  const total = read(box(form, "total"));
  const shown = form.querySelector("[data-count-shown]");
  if (!(shown instanceof HTMLElement)) return;
  shown.hidden = total === null;
  shown.textContent = total === null ? "" : total.toLocaleString("ja-JP");
}

/** @param {HTMLFormElement} form */
function keep(form) {
  const values = Object.fromEntries(["total", ...PARTS].map((name) => [name, box(form, name).value]));
  put(PREFIX + form.dataset.count, { at: Date.now(), base: form.dataset.base, values });
  note(form);
}

/** What was being counted comes back, unless somebody has reported since. @param {HTMLFormElement} form */
async function restore(form) {
  const key = PREFIX + form.dataset.count;
  const kept = await get(key);
  if (!kept || form.dataset.keepsTyped !== undefined) return;
  const { at, base, values } = kept;
  if (base !== form.dataset.base || Date.now() - at > AGE_MS_MAX) return drop(key);
  for (const [name, value] of Object.entries(values)) box(form, name).value = String(value);
  note(form);
  show(form);
}

/** @param {HTMLFormElement} form */
function note(form) {
  const place = form.querySelector("[data-count-note]");
  if (place instanceof HTMLElement) place.hidden = false;
}

for (const form of document.querySelectorAll("form[data-count]")) {
  if (!(form instanceof HTMLFormElement)) continue;
  void restore(form);
  show(form);
  form.addEventListener("input", () => {
    show(form);
    keep(form);
  });
  for (const button of form.querySelectorAll("button[data-step]")) {
    if (!(button instanceof HTMLElement)) continue;
    button.hidden = false;
    button.addEventListener("click", () => step(form, button.dataset.for ?? "", Number(button.dataset.step)));
  }
}
