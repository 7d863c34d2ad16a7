// @ts-check
// What was typed is never lost. A form with data-draft-url is kept by the node at every pause (400 ms), so that it is
// there again after a power cut; the browser keeps it until the node has said so, and of forms without an address.
import { drop, get, put } from "./vault.js";

const PREFIX = "draft:";
const AGE_MS_MAX = 3 * 24 * 3600 * 1000;
const PAUSE_MS = 400;
const AGAIN_MS = 2000;
const BY_ITSELF = ["lon", "lat", "accuracy_m", "location_source", "located_at"]; // nobody typed these: alone no draft
/** @typedef {Record<string, string[]>} Values */
/** @typedef {{timer: number, saving: Promise<boolean>, stale: boolean, sending: boolean}} State */
/** @type {WeakMap<HTMLFormElement, State>} */
const states = new WeakMap();

/** What is to be sealed the node keeps, the browser never. @param {HTMLFormElement} form @param {Values} found @returns {Values} */
function unsealed(form, found) {
  const sealed = new Set([...form.querySelectorAll("[data-sealed] [name]")].map((control) => control.getAttribute("name")));
  return Object.fromEntries(Object.entries(found).filter(([name]) => !sealed.has(name)));
}

/** @param {HTMLFormElement} form @returns {Values} */
function values(form) {
  /** @type {Values} */
  const found = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value !== "string" || value === "" || name === "csrf_token" || (name.startsWith("_") && name !== "_id")) continue;
    (found[name] ??= []).push(value);
  }
  return found;
}

/** @param {Values} found */
function isSome(found) { return Object.keys(found).some((name) => !name.startsWith("_") && !BY_ITSELF.includes(name)); }

/** @param {HTMLFormElement} form */
function keepHere(form) {
  const found = unsealed(form, values(form)), key = PREFIX + form.dataset.draft;
  if (isSome(found)) put(key, { at: Date.now(), values: found });
  else drop(key);
  return isSome(found);
}

/** True when the node holds it durably. @param {HTMLFormElement} form @returns {Promise<boolean>} */
async function keepThere(form) {
  const state = stateOf(form), found = values(form), token = form.elements.namedItem("csrf_token");
  state.stale = false;
  try {
    const answer = await fetch(form.dataset.draftUrl ?? "", {
      method: "POST", keepalive: true, body: JSON.stringify(isSome(found) ? found : {}),
      headers: { "Content-Type": "application/json", "X-CSRFToken": token instanceof HTMLInputElement ? token.value : "" },
    });
    if (!answer.ok) {
      keepHere(form); // it answers, but does not take it: sending shows its page, which says why
      return true;
    }
    if (!state.stale) drop(PREFIX + form.dataset.draft);
    note(form, isSome(found) ? "kept" : null);
    return true;
  } catch {
    state.stale = true;
    keepHere(form);
    note(form, "lost");
    return false;
  }
}

/** @param {HTMLFormElement} form @returns {Promise<boolean>} */
function flush(form) {
  const state = stateOf(form);
  window.clearTimeout(state.timer);
  state.timer = 0;
  state.saving = state.saving.then(() => keepThere(form)).then((kept) => {
    if (!kept && !state.timer) state.timer = window.setTimeout(() => flush(form), AGAIN_MS);
    return kept;
  });
  return state.saving;
}

/** @param {HTMLFormElement} form @returns {State} */
function stateOf(form) {
  let state = states.get(form);
  if (!state) states.set(form, state = { timer: 0, saving: Promise.resolve(true), stale: false, sending: false });
  return state;
}

/** @param {HTMLFormElement} form */
function changed(form) {
  const some = keepHere(form); // at once: a page that is left now comes back before the node's answer
  if (!form.dataset.draftUrl) return note(form, some ? "kept" : null);
  const state = stateOf(form);
  state.stale = true;
  if (state.sending) return;
  window.clearTimeout(state.timer);
  state.timer = window.setTimeout(() => flush(form), PAUSE_MS);
}

/** What this browser kept, where it is newer than what the node drew. @param {HTMLFormElement} form */
async function restore(form) {
  if (form.dataset.keepsTyped !== undefined) return;
  const kept = await get(PREFIX + form.dataset.draft);
  if (!kept) return;
  const { at, values: found } = kept;
  if (Date.now() - at > AGE_MS_MAX || at < Number(form.dataset.draftAt ?? 0)) return drop(PREFIX + form.dataset.draft);
  let some = false;
  for (const [name, value] of Object.entries(found)) {
    const all = Array.isArray(value) ? value.map(String) : [String(value)];
    if (name.startsWith("_")) continue; // a new id: what was sent under the old one is saved, this is not
    if (name === "attachments") form.dispatchEvent(new CustomEvent("files:known", { detail: all }));
    else some = fill(form, name, all[0]) || some;
  }
  if (!some) return;
  note(form, "kept");
  if (form.dataset.draftUrl) changed(form);
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

/** @param {HTMLFormElement} form @param {"kept" | "lost" | "waiting" | null} what */
function note(form, what) {
  const place = form.querySelector("[data-draft-note]");
  if (place instanceof HTMLElement) {
    place.hidden = what === null;
    place.classList.toggle("lost", what === "lost");
    const words = place.querySelector("[data-draft-words]");
    if (words && what) words.textContent = place.dataset[what] ?? words.textContent;
  }
  form.dispatchEvent(new CustomEvent("draft:shown"));
}

/** Sent only when the node holds all of it: then nothing can be lost on the way. @param {HTMLFormElement} form */
function guard(form) {
  let sure = false;
  form.addEventListener("submit", async (event) => {
    const state = stateOf(form);
    if (sure) return;
    event.preventDefault();
    if (state.sending) return;
    state.sending = true;
    if (Number(form.dataset.uploading ?? 0) > 0) {
      note(form, "waiting");
      await new Promise((resolve) => form.addEventListener("files:settled", resolve, { once: true }));
    }
    const kept = await flush(form);
    state.sending = false;
    if (!kept) return;
    sure = true;
    form.requestSubmit();
  });
  window.addEventListener("pageshow", () => { sure = false; });
  window.addEventListener("pagehide", () => { if (stateOf(form).stale && !sure) flush(form); });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden" && stateOf(form).stale && !sure) flush(form);
  });
}

function start() {
  for (const cleared of document.querySelectorAll("[data-draft-saved]")) {
    drop(PREFIX + cleared.getAttribute("data-draft-saved"));
  }
  for (const form of document.querySelectorAll("form[data-draft]")) {
    if (!(form instanceof HTMLFormElement)) continue;
    void restore(form);
    form.addEventListener("input", () => changed(form));
    form.addEventListener("change", () => changed(form));
    if (form.dataset.draftUrl) guard(form);
    if (Number(form.dataset.draftAt ?? 0) > 0) note(form, "kept");
  }
}

export function forget(/** @type {HTMLFormElement} */ form) {
  drop(PREFIX + form.dataset.draft);
  note(form, null);
}

start();
