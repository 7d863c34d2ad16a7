// @ts-check
// 位置を送る: one tap asks the device where it is and sends that as a message. What is being typed stays where it is.
// A device that moves has a fresh position all the same; one that stands still may be given none for a while.
const FIX_MS = 15_000, OLD_MS_MAX = 60_000;

/** @param {HTMLFormElement} form @param {HTMLButtonElement} button */
function watch(form, button) {
  const said = form.querySelector("[data-place-said]");
  const send = form.querySelector("button[data-place-send]");
  /** @type {Record<string, string> | null} */
  let place = null;
  if (!(said instanceof HTMLElement) || !(send instanceof HTMLButtonElement)) return;

  /** @param {string} key */
  const say = (key) => {
    said.textContent = button.dataset[key] ?? "";
    said.hidden = key === "";
  };

  button.hidden = false;
  button.addEventListener("click", () => {
    say("asking");
    button.setAttribute("aria-busy", "true");
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      button.removeAttribute("aria-busy");
      say("");
      place = { lon: coords.longitude.toFixed(6), lat: coords.latitude.toFixed(6), accuracy_m: String(Math.round(coords.accuracy)) };
      send.click(); // htmx sends the name of a button that was clicked, of no other
    }, (refused) => {
      button.removeAttribute("aria-busy");
      say(refused.code === refused.PERMISSION_DENIED ? "off" : "none");
    }, { enableHighAccuracy: true, timeout: FIX_MS, maximumAge: OLD_MS_MAX });
  });
  // It goes with its own message alone, whatever else is waiting to be sent.
  form.addEventListener("htmx:configRequest", (event) => {
    const { elt, parameters, triggeringEvent } = /** @type {CustomEvent} */ (event).detail;
    if (elt === form && triggeringEvent?.submitter === send && place) Object.assign(parameters, place);
  });
}

for (const form of document.querySelectorAll("form[data-composer]")) {
  const button = form.querySelector("button[data-place-ask]");
  if (form instanceof HTMLFormElement && button instanceof HTMLButtonElement && "geolocation" in navigator) watch(form, button);
}
