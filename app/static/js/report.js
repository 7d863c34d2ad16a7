// @ts-check
// The report form: the position button, and the toast that counts the seconds in which a report can be taken back.

/** @param {HTMLElement} box */
function watchPosition(box) {
  const button = box.querySelector("button[data-locate]");
  const said = box.querySelector("[data-locate-said]");
  const lon = box.querySelector("input[name=lon]");
  const lat = box.querySelector("input[name=lat]");
  const accuracy = box.querySelector("input[name=accuracy_m]");
  if (!(button instanceof HTMLElement) || !(said instanceof HTMLElement)) return;
  if (!(lon instanceof HTMLInputElement) || !(lat instanceof HTMLInputElement) || !(accuracy instanceof HTMLInputElement)) return;
  /** @param {string} key @param {string} [value] */
  const say = (key, value) => { said.textContent = (said.dataset[key] ?? "").replace("0", value ?? ""); };
  const show = () => { if (lat.value !== "") say("got", accuracy.value || "?"); };
  button.hidden = !("geolocation" in navigator);
  box.closest("form")?.addEventListener("draft:shown", show);
  show();
  button.addEventListener("click", () => {
    say("asking");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        lon.value = coords.longitude.toFixed(6);
        lat.value = coords.latitude.toFixed(6);
        accuracy.value = String(Math.round(coords.accuracy));
        show();
        lat.dispatchEvent(new Event("input", { bubbles: true }));
      },
      () => say("none"),
      { enableHighAccuracy: true, timeout: 8000, maximumAge: 15000 },
    );
  });
}

/** @param {HTMLElement} toast */
function countDown(toast) {
  const place = toast.querySelector("[data-seconds]");
  if (!(place instanceof HTMLElement)) return;
  let left = Number(toast.dataset.undo);
  const timer = window.setInterval(() => {
    if (toast.matches(":focus-within, :hover")) return;
    left -= 1;
    place.textContent = String(Math.max(left, 0));
    if (left > 0) return;
    window.clearInterval(timer);
    toast.hidden = true;
  }, 1000);
}

for (const box of document.querySelectorAll("[data-position]")) if (box instanceof HTMLElement) watchPosition(box);
for (const toast of document.querySelectorAll("[data-undo]")) if (toast instanceof HTMLElement) countDown(toast);
