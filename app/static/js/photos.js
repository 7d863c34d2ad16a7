// @ts-check
// Photos and voice memos of a form: each goes to the node as soon as it was taken, and stands in the form by its hash.
// Where the node does not answer it is tried again by itself; what was typed does not depend on it.
const FILES_MAX = 10;
const BYTES_MAX = 12 * 1024 * 1024;
const AGAIN_MS = 2000;
/** @typedef {{sha256: string, media_type: string, thumb: string | null, view: string | null, exif_location: number[] | null}} Facts */

/** @param {HTMLElement} box */
function watch(box) {
  const form = box.closest("form");
  const list = box.querySelector("[data-shots]");
  const template = box.querySelector("template");
  if (!form || !list || !template) return;
  const address = (/** @type {string} */ sha256) => (box.dataset.show ?? "").replace(/0$/, sha256);

  /** How many are on their way; the form is sent when none is. @param {number} change */
  function count(change) {
    const left = Number(form?.dataset.uploading ?? 0) + change;
    if (form) form.dataset.uploading = String(left);
    if (left === 0) form?.dispatchEvent(new CustomEvent("files:settled"));
  }

  function shown() {
    const some = list?.querySelector("[data-shot]") != null;
    box.classList.toggle("some", some);
    form?.classList.toggle("with-photos", some);
    if (some) form?.classList.add("started");
    if (some && form && form.querySelector("[data-or-first]")) {
      form.querySelector("[data-or-first]")?.remove();
      form.querySelector("[data-position]")?.before(box);
    }
    for (const input of box.querySelectorAll("input[type=file]")) {
      if (input instanceof HTMLInputElement) input.disabled = (list?.children.length ?? 0) >= FILES_MAX;
    }
  }

  /** @returns {HTMLElement} */
  function row() {
    const piece = /** @type {DocumentFragment} */ (template?.content.cloneNode(true));
    const item = /** @type {HTMLElement} */ (piece.querySelector("[data-shot]"));
    list?.append(item);
    shown();
    return item;
  }

  /** @param {HTMLElement} item @param {string} words @param {boolean} [wrong] */
  function say(item, words, wrong = false) {
    const place = item.querySelector("[data-shot-said]");
    if (place && place.textContent !== words) place.textContent = words;
    item.classList.toggle("wrong", wrong);
  }

  /** @param {HTMLElement} item @param {Facts} facts */
  function keep(item, facts) {
    const hidden = item.querySelector("input[name=attachments]");
    const image = item.querySelector("[data-shot-image]"), link = item.querySelector("[data-shot-open]");
    const sound = item.querySelector("[data-shot-sound]");
    if (facts.media_type.startsWith("audio/") && sound instanceof HTMLAudioElement) {
      sound.src = address(facts.sha256);
      sound.hidden = false;
      if (link instanceof HTMLElement) link.hidden = true;
    } else if (image instanceof HTMLImageElement && link instanceof HTMLAnchorElement) {
      image.src = address(facts.thumb ?? facts.sha256);
      image.hidden = false;
      link.href = address(facts.view ?? facts.sha256);
    }
    if (!(hidden instanceof HTMLInputElement)) return;
    hidden.value = facts.sha256;
    hidden.disabled = false;
    say(item, box.dataset.saved ?? "");
    hidden.dispatchEvent(new Event("input", { bubbles: true }));
    if (facts.exif_location) form?.dispatchEvent(new CustomEvent("files:position", { detail: facts.exif_location }));
  }

  /** @param {HTMLElement} item @param {Blob} file */
  function send(item, file) {
    const request = new XMLHttpRequest(), body = new FormData();
    const token = form?.elements.namedItem("csrf_token");
    const again = item.querySelector("[data-shot-again]");
    if (file.size > BYTES_MAX) return say(item, box.dataset.large ?? "", true);
    body.append("file", file, "file");
    count(1);
    say(item, (box.dataset.saving ?? "").replace("0", "0"));
    request.upload.onprogress = ({ loaded, total }) => {
      say(item, (box.dataset.saving ?? "").replace("0", String(Math.min(99, Math.round((loaded / total) * 100)))));
    };
    request.onload = () => {
      const answer = read(request.responseText);
      if (request.status < 300 && answer) keep(item, answer);
      else if (request.status === 503 && item.isConnected) later(request.status);
      else say(item, answer?.words ?? box.dataset.refused ?? "", true);
      count(-1);
    };
    request.onerror = () => {
      later(0);
      count(-1);
    };
    request.open("POST", box.dataset.upload ?? "");
    request.setRequestHeader("X-CSRFToken", token instanceof HTMLInputElement ? token.value : "");
    request.send(body);

    /** @param {number} _ */
    function later(_) {
      say(item, box.dataset.down ?? "", true);
      if (!(again instanceof HTMLButtonElement)) return;
      again.hidden = false;
      const go = () => {
        window.clearTimeout(timer);
        again.hidden = true;
        again.onclick = null;
        if (item.isConnected) send(item, file);
      };
      const timer = window.setTimeout(go, AGAIN_MS);
      again.onclick = go;
    }
  }

  /** @param {Blob} file */
  function add(file) {
    if ((list?.children.length ?? 0) < FILES_MAX) send(row(), file);
  }

  box.addEventListener("change", (event) => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement) || input.type !== "file") return;
    for (const file of input.files ?? []) add(file);
    input.value = "";
  });
  box.addEventListener("files:add", (event) => add(/** @type {CustomEvent} */ (event).detail));
  box.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-retake]")) {
      list.querySelector("[data-shot]:last-child")?.remove();
      const camera = box.querySelector("[data-take] input");
      if (camera instanceof HTMLInputElement) camera.click();
    } else if (target?.closest("[data-shot-remove]")) target.closest("[data-shot]")?.remove();
    else return;
    shown();
    form.dispatchEvent(new Event("input", { bubbles: true }));
  });
  form.addEventListener("files:known", (event) => {
    for (const sha256 of /** @type {CustomEvent} */ (event).detail) {
      if (form.querySelector(`input[name=attachments][value="${CSS.escape(sha256)}"]`)) continue;
      keep(row(), { sha256, media_type: "image/jpeg", thumb: null, view: null, exif_location: null });
    }
  });
  shown();
}

/** @param {string} text */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

for (const box of document.querySelectorAll("[data-files]")) if (box instanceof HTMLElement) watch(box);
