// @ts-check
// What this browser keeps of what was typed: sealed with a key that the node gives to the signed-in person's page and
// that lies nowhere in the browser. Whoever has the profile of a lost tablet reads nothing. Without a key (the login
// page, a browser without WebCrypto) it is kept for as long as the page is open, and no longer.
const PREFIX = "tomoshibi:kept:";
const NONCE_BYTES = 12;
const given = document.body.dataset.browserKey;
/** @type {Map<string, string>} */
const here = new Map();
/** Writes under way: only the last of a name counts. @type {Map<string, number>} */
const turns = new Map();
const usable = Boolean(given && globalThis.crypto?.subtle);
const key = usable
  ? crypto.subtle.importKey("raw", fromBase64(/** @type {string} */ (given)), "AES-GCM", false, ["encrypt", "decrypt"])
  : null;

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
function fromBase64(text) { return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)); }

/** @param {Uint8Array} bytes @returns {string} */
function toBase64(bytes) { return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")); }

/** The name, too, tells something: of a shelter's post, of an incident. @param {string} name @returns {Promise<string>} */
async function place(name) {
  const text = new TextEncoder().encode(`${given}\0${name}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return PREFIX + toBase64(digest.slice(0, 15));
}

/** @param {string} name @returns {number} */
function turn(name) {
  const number = (turns.get(name) ?? 0) + 1;
  turns.set(name, number);
  return number;
}

/** @param {string} name @param {unknown} value */
export function put(name, value) {
  const text = JSON.stringify(value), mine = turn(name);
  here.set(name, text);
  if (key) void seal(name, text, mine);
}

/** @param {string} name @param {string} text @param {number} mine */
async function seal(name, text, mine) {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const box = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, await /** @type {Promise<CryptoKey>} */ (key), new TextEncoder().encode(text));
  const at = await place(name);
  if (turns.get(name) === mine) localStorage.setItem(at, toBase64(nonce) + toBase64(new Uint8Array(box)));
}

/** @param {string} name @returns {Promise<any>} */
export async function get(name) {
  const known = here.get(name);
  if (known !== undefined) return JSON.parse(known);
  if (!key || turns.has(name)) return null; // dropped by this page: the place itself is emptied a moment later
  const kept = localStorage.getItem(await place(name));
  if (!kept) return null;
  try {
    const iv = fromBase64(kept.slice(0, 16)), box = fromBase64(kept.slice(16)); // 12 bytes are 16 signs
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await key, box)));
  } catch {
    return null; // sealed by the key of before: nobody can read it any more
  }
}

/** @param {string} name */
export function drop(name) {
  const mine = turn(name);
  here.delete(name);
  if (key) void place(name).then((at) => { if (turns.get(name) === mine) localStorage.removeItem(at); });
}

// An earlier release kept it in clear.
for (const name of Object.keys(localStorage)) {
  if (name.startsWith("tomoshibi:draft:") || name.startsWith("tomoshibi:count:")) localStorage.removeItem(name);
}
