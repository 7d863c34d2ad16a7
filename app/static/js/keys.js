// @ts-check
// The keyboard of HQ. Whatever carries data-key is reached by that key: a field gets the focus, a link is
// followed; a button that would record something only gets the focus, so that a slip of a finger records nothing. Who adds a page puts the attribute on it and changes nothing here:
//   data-key="a"      one key          data-key="g m"   one after the other, within 1.5 s
//   data-key="search" the key /        data-key="send"  Ctrl+Enter anywhere in its form
// j and k walk over the rows of a list ([data-row], else .rows > li); a key that stands in the row with the focus goes
// before the same key elsewhere on the page, and the page's own before what the sheet of keys (?) offers everywhere.
// What ? says of a key: data-key-words, else aria-label, placeholder or the text.
// Never while somebody types or an IME composes; all but Ctrl+Enter can be switched off (WCAG 2.1.4).
const SEQUENCE_MS = 1500;
const NAMES = /** @type {Record<string, string>} */ ({ "/": "search", "／": "search", "？": "?" });
const sheet = document.getElementById("keys-sheet");
let before = "";
let at = 0;

/** @param {EventTarget | null} target */
function types(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches("textarea, select, [contenteditable]:not([contenteditable='false'])")) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "reset"].includes(target.type);
}

/** @param {Element} element */
function seen(element) {
  return element.getClientRects().length > 0 && !element.closest("[inert]");
}

/** @param {string} key @returns {HTMLElement | undefined} */
function holder(key) {
  const found = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)]);
  const there = found.filter((element) => !element.hasAttribute("disabled") && (seen(element) || element.closest("#keys-sheet, .nav")));
  const row = document.activeElement?.closest("[data-row], .rows > li");
  return there.find((element) => row?.contains(element)) ?? there.find((element) => !sheet?.contains(element)) ?? there[0];
}

/** @param {HTMLElement} element */
function reach(element) {
  element.closest("details:not([open])")?.setAttribute("open", "");
  if (element instanceof HTMLInputElement && types(element)) {
    element.focus();
    element.select();
  } else if (types(element) || (element instanceof HTMLButtonElement && element.type === "submit")) element.focus();
  else element.click();
}

/** @param {number} step */
function walk(step) {
  const rows = [...document.querySelectorAll("main [data-row]")].filter(seen);
  const list = rows.length > 0 ? rows : [...document.querySelectorAll("main .rows > li")].filter(seen);
  const doors = list.map((row) => row.matches("a, button, [tabindex]") ? row : row.querySelector("a, button, summary")).filter(Boolean);
  const here = doors.findIndex((door) => door === document.activeElement || door?.closest("[data-row], li")?.contains(document.activeElement));
  const next = doors[Math.min(doors.length - 1, Math.max(0, here < 0 ? 0 : here + step))];
  if (!(next instanceof HTMLElement)) return;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

/** @param {Element} place */
function send(place) {
  const form = place.closest("form");
  const buttons = /** @type {HTMLButtonElement[]} */ ([...(form?.elements ?? [])].filter((one) => one instanceof HTMLButtonElement && one.type === "submit" && !one.disabled));
  const button = buttons.find((one) => one.dataset.key === "send") ?? buttons.find((one) => one.matches(".primary")) ?? buttons[0];
  if (button) button.click();
  else form?.requestSubmit();
}

/** What the sheet lists by itself: the keys of this page, and the menu's, each told by what carries it. */
function tell() {
  for (const [place, within] of /** @type {const} */ ([["[data-keys-here]", "main"], ["[data-keys-menu]", ".nav"]])) {
    const list = sheet?.querySelector(place);
    const told = new Map();
    for (const element of document.querySelectorAll(`${within} [data-key]`)) {
      const key = element.getAttribute("data-key") ?? "";
      const words = wordsOf(element);
      if (words && !told.has(key) && (within === ".nav" || seen(element))) told.set(key, words);
    }
    list?.replaceChildren(...[...told].flatMap(([key, words]) => line(key, words)));
    list?.closest("section")?.toggleAttribute("hidden", told.size === 0);
  }
}

/** @param {Element} element */
function wordsOf(element) {
  const own = element.getAttribute("data-key-words") ?? element.getAttribute("aria-label");
  const field = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? element.placeholder : undefined;
  const words = own ?? field ?? (element.querySelector(".wide-word") ?? element.querySelector("span:not(.count)") ?? element).textContent ?? "";
  return words.trim().replace(/\s+/g, " ").slice(0, 40);
}

/** @param {string} key @param {string} words */
function line(key, words) {
  const name = document.createElement("dt"), what = document.createElement("dd");
  for (const one of key.split(" ")) {
    const cap = document.createElement("kbd");
    cap.textContent = one === "search" ? "/" : one === "send" ? "Ctrl+Enter" : one;
    name.append(cap, " ");
  }
  what.textContent = words;
  return [name, what];
}

function open() {
  if (!(sheet instanceof HTMLDialogElement)) return;
  tell();
  sheet.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented || event.altKey || !(event.target instanceof Element)) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    if (!event.target.closest("form")) return;
    event.preventDefault();
    send(event.target);
    return;
  }
  if (event.ctrlKey || event.metaKey || document.body.dataset.keys === "off" || types(event.target)) return;
  const key = NAMES[event.key] ?? event.key;
  if (key.length > 1 && key !== "search") return;
  const pair = `${before} ${key}`;
  const within = before !== "" && event.timeStamp - at < SEQUENCE_MS;
  before = "";
  if (within) {
    const found = holder(pair);
    if (found) press(event, () => reach(found));
    return;
  }
  if (sheet instanceof HTMLDialogElement && sheet.open && key !== "?" && key !== "g") return;
  if (key === "j" || key === "k") press(event, () => walk(key === "j" ? 1 : -1));
  else if (key === "?" && sheet instanceof HTMLDialogElement) {
    press(event, () => (sheet.open ? sheet.close() : open()));
  } else if (key === "g" && !event.repeat) {
    before = key;
    at = event.timeStamp;
  } else if (!event.repeat) {
    const found = holder(key);
    if (found) press(event, () => reach(found));
  }
});

/** @param {KeyboardEvent} event @param {() => void} act */
function press(event, act) {
  event.preventDefault();
  act();
}

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || !(sheet instanceof HTMLDialogElement)) return;
  if (event.target.closest("[data-keys-close]") || event.target === sheet) sheet.close();
  if (event.target.closest("[data-keys-open]")) open();
});

// A key that leads to another page goes on there: #key-c puts the focus where `c` would.
if (window.location.hash.startsWith("#key-")) {
  const found = document.querySelector(`main [data-key="${CSS.escape(window.location.hash.slice(5))}"]`);
  if (found instanceof HTMLElement) reach(found);
}
