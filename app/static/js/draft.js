// @ts-check
// What was typed is never lost: forms with data-draft are kept here at every input, and cleared when they were saved.
const PREFIX = "tomoshibi:draft:";
const AGE_MS_MAX = 3 * 24 * 3600 * 1000;

/** @param {HTMLFormElement} form */
function keep(form) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && value !== "" && !name.startsWith("_") && name !== "csrf_token") values[name] = value;
  }
  const key = PREFIX + form.dataset.draft;
  if (Object.keys(values).length === 0) localStorage.removeItem(key);
  else localStorage.setItem(key, JSON.stringify({ at: Date.now(), values }));
  note(form, Object.keys(values).length > 0);
}

/** @param {HTMLFormElement} form */
function restore(form) {
  if (form.dataset.keepsTyped !== undefined) return;
  const text = localStorage.getItem(PREFIX + form.dataset.draft);
  if (!text) return;
  const { at, values } = JSON.parse(text);
  if (Date.now() - at > AGE_MS_MAX) return;
  let some = false;
  for (const [name, value] of Object.entries(values)) some = fill(form, name, String(value)) || some;
  if (some) note(form, true);
}

/** @param {HTMLFormElement} form @param {string} name @param {string} value */
function fill(form, name, value) {
  const control = form.elements.namedItem(name);
  if (control instanceof RadioNodeList) {
    control.value = value;
    return control.value === value;
  }
  if (control instanceof HTMLInputElement && (control.type === "checkbox" || control.type === "radio")) {
    control.checked = control.value === value;
    return control.checked;
  }
  if (control instanceof HTMLInputElement || control instanceof HTMLTextAreaElement || control instanceof HTMLSelectElement) {
    if (control.value === "" || control.type === "hidden") control.value = value;
    return true;
  }
  return false;
}

/** @param {HTMLFormElement} form @param {boolean} some */
function note(form, some) {
  const place = form.querySelector("[data-draft-note]");
  if (place instanceof HTMLElement) place.hidden = !some;
  form.dispatchEvent(new CustomEvent("draft:shown"));
}

function start() {
  for (const cleared of document.querySelectorAll("[data-draft-saved]")) {
    localStorage.removeItem(PREFIX + cleared.getAttribute("data-draft-saved"));
  }
  for (const form of document.querySelectorAll("form[data-draft]")) {
    if (!(form instanceof HTMLFormElement)) continue;
    restore(form);
    form.addEventListener("input", () => keep(form));
    form.addEventListener("change", () => keep(form));
  }
}

export function forget(/** @type {HTMLFormElement} */ form) {
  localStorage.removeItem(PREFIX + form.dataset.draft);
  note(form, false);
}

start();
