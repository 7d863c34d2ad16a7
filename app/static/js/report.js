// @ts-check
// The report form: position by itself, the chosen category, reports near by; and the toast of a saved one.
const FIX_MS = 20000; // look for a better position this long
const GOOD_M = 15;
const NEAR_PAUSE_MS = 300;
const ASKED = "tomoshibi:position-asked";

/** @param {HTMLElement} box */
function watchPosition(box) {
  const form = box.closest("form");
  const button = box.querySelector("button[data-locate]");
  const said = box.querySelector("[data-locate-said]");
  const lon = box.querySelector("input[name=lon]"), lat = box.querySelector("input[name=lat]");
  const accuracy = box.querySelector("input[name=accuracy_m]"), source = box.querySelector("input[name=location_source]");
  const at = box.querySelector("input[name=located_at]");
  if (!(button instanceof HTMLElement) || !(said instanceof HTMLElement) || !(at instanceof HTMLInputElement)) return;
  if (!(lon instanceof HTMLInputElement) || !(lat instanceof HTMLInputElement)) return;
  if (!(accuracy instanceof HTMLInputElement) || !(source instanceof HTMLInputElement)) return;
  let watching = 0;

  /** @param {string} key @param {string} [value] */
  const say = (key, value) => { said.textContent = (said.dataset[key] ?? "").replace("0", value ?? ""); };
  const show = () => {
    if (lat.value === "") return;
    if (source.value === "gps" || source.value === "") {
      const hour = at.value === "" ? "" : `・${new Date(Number(at.value)).toTimeString().slice(0, 5)}`;
      say("gps", String(Math.round(Number(accuracy.value || "0")) || "?"));
      said.textContent += hour;
    } else say(source.value in said.dataset ? source.value : "map");
  };
  const stop = () => {
    navigator.geolocation.clearWatch(watching);
    watching = 0;
  };

  /** @param {GeolocationPosition} found */
  const take = ({ coords, timestamp }) => {
    if (watching === 0 || (source.value === "gps" && lat.value !== "" && Number(accuracy.value) < coords.accuracy)) return;
    lon.value = coords.longitude.toFixed(6);
    lat.value = coords.latitude.toFixed(6);
    accuracy.value = String(Math.round(coords.accuracy));
    source.value = "gps";
    at.value = String(Math.round(timestamp));
    show();
    lat.dispatchEvent(new Event("input", { bubbles: true }));
    if (coords.accuracy <= GOOD_M) stop();
  };

  const locate = () => {
    if (watching) stop();
    say("asking");
    localStorage.setItem(ASKED, "1");
    const refused = (/** @type {GeolocationPositionError} */ error) => {
      stop();
      if (lat.value === "") say(error.code === error.PERMISSION_DENIED ? "off" : "none");
      else show();
    };
    watching = navigator.geolocation.watchPosition(take, refused, { enableHighAccuracy: true, timeout: 8000, maximumAge: 15000 });
    window.setTimeout(() => { if (watching) stop(); }, FIX_MS);
  };

  box.addEventListener("input", (event) => {
    if (event.target === lat || event.target === lon || event.target === source) {
      if (source.value === "map" && watching) stop();
      show();
    }
  });
  form?.addEventListener("draft:shown", show);
  form?.addEventListener("files:position", (event) => {
    if (lat.value !== "") return;
    const [east, north] = /** @type {CustomEvent} */ (event).detail;
    lon.value = String(east);
    lat.value = String(north);
    source.value = "exif";
    accuracy.value = "";
    lat.dispatchEvent(new Event("input", { bubbles: true }));
  });
  show();
  if (form?.querySelector(".kept") && lat.value !== "") say("kept");
  if (!("geolocation" in navigator)) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    source.value = "";
    locate();
  });
  if (lat.value === "" && box.dataset.position !== "asked") askOnce(locate);
}

/** The browser asks for the permission once; whoever waved it away is not asked again at each form. @param {() => void} locate */
async function askOnce(locate) {
  const known = await navigator.permissions?.query({ name: "geolocation" }).catch(() => null);
  if (known?.state === "denied") return;
  if (known?.state === "prompt" && localStorage.getItem(ASKED)) return;
  locate();
}

/** The chosen tile alone stays; what may be added opens under it. @param {HTMLFormElement} form */
function watchCategory(form) {
  const change = form.querySelector("[data-choose]");
  const later = form.querySelector("[data-later]");
  const show = () => {
    const chosen = form.querySelector("input[name=category]:checked") !== null;
    form.classList.toggle("started", chosen || form.classList.contains("with-photos"));
    form.classList.toggle("chosen", chosen && !form.classList.contains("choosing"));
    if (change instanceof HTMLElement) change.hidden = !chosen || form.classList.contains("choosing");
    if (chosen && later instanceof HTMLDetailsElement) later.open = true;
  };
  form.addEventListener("change", (event) => {
    if (!(event.target instanceof HTMLInputElement) || event.target.name !== "category") return;
    form.classList.remove("choosing");
    show();
  });
  form.addEventListener("draft:shown", show);
  form.addEventListener("input", show);
  form.classList.add("scripted");
  change?.addEventListener("click", () => {
    form.classList.add("choosing");
    show();
    const checked = form.querySelector("input[name=category]:checked");
    if (checked instanceof HTMLElement) checked.focus();
  });
  show();
}

/** @param {HTMLFormElement} form */
function watchNear(form) {
  const place = form.querySelector("[data-near-said]");
  let asked = "", timer = 0;
  const ask = async () => {
    const data = new FormData(form);
    const query = new URLSearchParams();
    for (const name of ["category", "lon", "lat"]) query.set(name, String(data.get(name) ?? ""));
    if ([...query.values()].includes("") || query.toString() === asked || !place) return;
    asked = query.toString();
    try {
      const answer = await fetch(`${form.dataset.near}?${asked}`);
      if (!answer.ok) return;
      const read = new DOMParser().parseFromString(await answer.text(), "text/html");
      const chosen = place.querySelector("input[name=same_as]:checked");
      place.replaceChildren(...read.body.childNodes);
      const again = [...place.querySelectorAll("input[name=same_as]")].find((one) =>
        one instanceof HTMLInputElement && chosen instanceof HTMLInputElement && one.value === chosen.value);
      if (again instanceof HTMLInputElement) again.checked = true; // a better position asked anew: the answer stays
    } catch {
      asked = "";
    }
  };
  const soon = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, NEAR_PAUSE_MS);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  soon();
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
for (const form of document.querySelectorAll("form[data-report]")) {
  if (!(form instanceof HTMLFormElement)) continue;
  watchCategory(form);
  watchNear(form);
}
