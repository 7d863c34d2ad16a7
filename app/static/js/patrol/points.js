// @ts-check
// One tap records a point where one stands: the newest position is put into the form as it is sent. A tap never waits
// longer than a moment for it, and goes without one where there is none.
const FRESH_MS = 15_000; // on foot this is 20 m, and the circle of a good position is as wide
const WAIT_MS = 4_000;
const KNOWN_MS = 120_000; // better a position of two minutes ago, with a circle as wide as one walks in that time, than none
const WALKED_M_PER_S = 1.5;

/** @param {HTMLFormElement} form */
function watchPoint(form) {
  const said = /** @type {HTMLElement | null} */ (form.querySelector("[data-here-said]"));
  /** @type {GeolocationPosition | null} */
  let newest = null;
  let sure = false;

  /** @param {string} key */
  const say = (key) => {
    if (said) said.textContent = (said.dataset[key] ?? "").replace("0", newest ? String(Math.round(newest.coords.accuracy)) : "?");
  };

  /** @param {GeolocationPosition} found */
  function take(found) {
    newest = found;
    say("known");
  }

  /** @param {GeolocationPosition | null} found */
  function fill(found) {
    const values = { lon: found?.coords.longitude.toFixed(6), lat: found?.coords.latitude.toFixed(6), accuracy_m: found && String(accuracy(found)) };
    for (const [name, value] of Object.entries(values)) {
      const input = form.elements.namedItem(name);
      if (input instanceof HTMLInputElement) input.value = value ?? "";
    }
  }

  /** @returns {Promise<GeolocationPosition | null>} */
  function here() {
    if (newest && Date.now() - newest.timestamp < FRESH_MS) return Promise.resolve(newest);
    return new Promise((done) => navigator.geolocation.getCurrentPosition(done, () => done(known()), { enableHighAccuracy: true, timeout: WAIT_MS, maximumAge: FRESH_MS }));
  }

  /** The position of a moment ago, where the receiver gives no new one: it may be standing still. */
  function known() {
    return newest && Date.now() - newest.timestamp < KNOWN_MS ? newest : null;
  }

  /** @param {GeolocationPosition} found metres, wider by what may have been walked since */
  function accuracy(found) {
    const age = Math.max(0, Date.now() - found.timestamp);
    return Math.round(found.coords.accuracy + (age < FRESH_MS ? 0 : (age / 1000) * WALKED_M_PER_S));
  }

  form.addEventListener("submit", async (event) => {
    if (sure || !("geolocation" in navigator)) return;
    event.preventDefault();
    if (form.dataset.sending !== undefined) return;
    form.dataset.sending = "";
    form.inert = true; // what is typed while the position is looked for would go with this point
    say("sending");
    const tapped = /** @type {SubmitEvent} */ (event).submitter;
    if (Number(form.dataset.uploading ?? 0) > 0) await new Promise((done) => form.addEventListener("files:settled", done, { once: true }));
    fill(await here());
    await new Promise((done) => window.setTimeout(done)); // while its event is under way a form does not send itself
    sure = true;
    form.inert = false;
    delete form.dataset.sending;
    if (tapped instanceof HTMLButtonElement) form.requestSubmit(tapped);
    else form.requestSubmit();
  });
  window.addEventListener("pageshow", () => { sure = false; form.inert = false; });
  if (!("geolocation" in navigator)) return;
  say("asking");
  document.addEventListener("patrol:fix", (event) => take(/** @type {CustomEvent} */ (event).detail)); // patrol/record.js
  if (document.querySelector("[data-patrol-record]")) return;
  navigator.geolocation.watchPosition(take, () => { if (!newest) say("none"); }, { enableHighAccuracy: true, maximumAge: 5_000 });
}

for (const form of document.querySelectorAll("form[data-patrol-point]")) if (form instanceof HTMLFormElement) watchPoint(form);
