// @ts-check
// Records the way of a running round, on whatever page its browser is: the pages share what is not sent yet. A batch goes
// to the node every few minutes; one that the node did not take stays here, sealed, and is tried again.
import { drop, get, put } from "../vault.js";
import { Filter, GAP_MS, STILL_MS, simplified } from "./fixes.js";

/** @typedef {import("./fixes.js").Fix} Fix */
/** @typedef {{id: string, gap: string, points: Fix[]}} Batch one unbroken piece; gap: why nothing is known before it */
/** @typedef {{open: Batch | null, queue: Batch[], last: Fix | null, paused: boolean, why: string}} Kept */

const BATCH_POINTS = 60, BATCH_MS = 3 * 60_000; // one operation for some minutes: a night of a round is some hundred
const QUEUE_MAX = 300; // fifteen hours of a node that does not answer
const AGAIN_MS = 5_000, LOOK_MS = 15_000, FINISH_MS = 8_000;
const LEFT = "tomoshibi:patrol-left"; // what the lock page writes (patrol/locked.js)

/** @param {HTMLElement} band */
async function begin(band) {
  const name = `patrol:${band.dataset.patrolRecord}`, said = band.querySelector("[data-track-said]");
  const pause = /** @type {HTMLButtonElement | null} */ (band.querySelector("[data-track-pause]"));
  /** @type {Kept} */
  let kept = { open: null, queue: [], last: null, paused: false, why: "" };
  /** @type {Promise<void> | null} */
  let beginning = null;
  let filter = new Filter(), watching = 0, asking = 0, holds = false, sending = false;

  /** @param {string} key @param {number} [metres] */
  function say(key, metres) {
    if (said) said.textContent = (band.dataset[key] ?? "").replace("0", String(Math.round(metres ?? 0)));
    band.dataset.state = key;
    band.classList.toggle("is-paused", key === "paused");
    band.classList.toggle("is-blind", key === "blind" || key === "refused");
    if (pause) pause.textContent = (kept.paused ? band.dataset.go : band.dataset.stop) ?? "";
  }

  /** @param {GeolocationPosition} found */
  function take(found) {
    const { coords, timestamp } = found;
    document.dispatchEvent(new CustomEvent("patrol:fix", { detail: found }));
    if (!holds || kept.paused) return;
    /** @type {Fix} */
    const fix = [round(coords.longitude, 6), round(coords.latitude, 6), Math.round(timestamp), round(coords.accuracy, 1)];
    const before = kept.last, how = filter.take(fix);
    say(how === "wide" ? "blind" : "recording", fix[3]);
    if (how !== "kept" && how !== "moved") return;
    const gap = !before ? "" : how === "moved" ? "no_signal" : fix[2] - before[2] > GAP_MS ? kept.why || "no_signal" : "";
    if (gap || kept.why === "paused") close();
    kept.open ??= { id: uuid7(), gap: gap || (kept.why === "paused" ? "paused" : ""), points: [] };
    kept.open.points.push(fix);
    kept.last = fix;
    kept.why = document.hidden ? "hidden" : "";
    if (!before || kept.open.points.length >= BATCH_POINTS) close(); // the first at once: HQ sees the dot
    put(name, kept);
  }

  /** What was gathered becomes a batch. */
  function close() {
    if (!kept.open) return;
    kept.queue.push({ ...kept.open, points: simplified(kept.open.points) });
    kept.queue.splice(0, kept.queue.length - QUEUE_MAX);
    kept.open = null;
    put(name, kept);
    send();
  }

  /** One batch after the other, in their order. */
  async function send() {
    if (sending) return;
    sending = true;
    try {
      while (kept.queue.length) {
        const { id, gap, points } = kept.queue[0];
        const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];
        const body = new URLSearchParams({ _id: id, gap, points: JSON.stringify(points) });
        const answer = await fetch(band.dataset.tracks ?? "", { method: "POST", keepalive: true, body, headers: { "X-CSRFToken": token, "X-Tomoshibi-Background": "1" } });
        if (answer.status === 422) say("refused");
        else if (answer.status !== 204) throw new Error(String(answer.status));
        kept.queue.shift();
        put(name, kept);
      }
    } catch {
      window.setTimeout(send, AGAIN_MS);
    } finally {
      sending = false;
    }
  }

  function watch() {
    if (watching || !holds || kept.paused) return;
    say("waiting");
    watching = navigator.geolocation.watchPosition(take, () => say("blind"), { enableHighAccuracy: true, maximumAge: 5_000 });
    // A device that stands still may say nothing: it is asked once a minute, which also tells a loss of signal.
    asking = window.setInterval(() => navigator.geolocation.getCurrentPosition(take, () => say("blind"), { enableHighAccuracy: true, timeout: LOOK_MS, maximumAge: 0 }), STILL_MS);
  }

  function stop() {
    navigator.geolocation.clearWatch(watching);
    window.clearInterval(asking);
    watching = asking = 0;
  }

  function turn() {
    if (!kept.paused) close();
    kept.paused = !kept.paused;
    kept.why = "paused";
    put(name, kept);
    if (kept.paused) stop();
    else watch();
    if (kept.paused) say("paused");
  }

  /** The page that is looked at records; a browser gives a hidden one no positions. */
  function hold() {
    beginning ??= takeOver().finally(() => { beginning = null; });
    return beginning;
  }

  async function takeOver() {
    if (holds) return;
    if (navigator.locks) await new Promise((done) => {
      navigator.locks.request(name, { steal: true }, () => {
        done(undefined);
        return new Promise(() => {});
      }).catch(() => {
        holds = false;
        stop();
      });
    });
    holds = true;
    kept = (await get(name)) ?? kept;
    filter = new Filter(kept.last);
    if (sessionStorage.getItem(LEFT)) kept.why = sessionStorage.getItem(LEFT) ?? "";
    else if (kept.last && !kept.why) kept.why = Date.now() - kept.last[2] > GAP_MS ? "hidden" : "";
    sessionStorage.removeItem(LEFT);
    if (kept.paused) say("paused");
    watch();
    send();
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) kept.why ||= "hidden";
    else hold();
  });
  window.setInterval(() => {
    if (holds && kept.open && Date.now() - kept.open.points[0][2] >= BATCH_MS) close();
  }, LOOK_MS);
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset.patrolFinish === undefined || form.dataset.sent !== undefined) return;
    if (!form.action.includes(band.dataset.patrolRecord ?? "")) return;
    event.preventDefault();
    form.dataset.sent = "";
    if ("geolocation" in navigator) await Promise.race([hold().catch(() => {}), wait(FINISH_MS)]); // what the pages before gathered
    stop();
    close();
    const until = Date.now() + FINISH_MS;
    do await wait(50); // also: while its event is under way a form does not send itself
    while (kept.queue.length && Date.now() < until);
    if (holds && !kept.queue.length) drop(name);
    form.requestSubmit();
  });
  pause?.addEventListener("click", turn);
  if (!("geolocation" in navigator)) return say("blind");
  if (pause) pause.hidden = false;
  if (!document.hidden) await hold();
}

/** @param {number} ms */
const wait = (ms) => new Promise((done) => window.setTimeout(done, ms));

/** @param {number} value @param {number} places */
const round = (value, places) => Number(value.toFixed(places));

/** An id of this moment (RFC 9562), so that a batch that is sent twice is kept once. */
function uuid7() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let now = Date.now();
  for (let place = 5; place >= 0; place -= 1, now = Math.floor(now / 256)) bytes[place] = now % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const band = document.querySelector("[data-patrol-record]");
if (band instanceof HTMLElement) begin(band);
