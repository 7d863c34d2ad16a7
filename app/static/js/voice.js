// @ts-check
// A voice memo of up to 60 s: one tap begins, one ends it; photos.js keeps it like a photo. Hidden where unsupported.
const SECONDS_MAX = 60;
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];

/** @param {HTMLButtonElement} button */
function watch(button) {
  const words = button.querySelector("[data-voice-words]");
  const box = button.closest("[data-files]");
  const said = box?.querySelector("[data-voice-said]");
  const type = typeof MediaRecorder === "undefined" ? undefined : TYPES.find((one) => MediaRecorder.isTypeSupported(one));
  if (!words || !box || !type || !navigator.mediaDevices) return;
  const idle = words.textContent ?? "";
  /** @type {MediaRecorder | null} */
  let recorder = null;
  button.hidden = false;

  /** @param {MediaStream} stream */
  function record(stream) {
    /** @type {Blob[]} */
    const pieces = [];
    let left = SECONDS_MAX;
    const show = () => { if (words) words.textContent = (button.dataset.stop ?? "").replace("0", String(left)); };
    const clock = window.setInterval(() => {
      left -= 1;
      show();
      if (left <= 0) recorder?.stop();
    }, 1000);
    recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: 32000 });
    recorder.ondataavailable = ({ data }) => { if (data.size > 0) pieces.push(data); };
    recorder.onstop = () => {
      window.clearInterval(clock);
      for (const track of stream.getTracks()) track.stop();
      recorder = null;
      button.setAttribute("aria-pressed", "false");
      if (words) words.textContent = idle;
      if (pieces.length > 0) box?.dispatchEvent(new CustomEvent("files:add", { detail: new Blob(pieces, { type }) }));
    };
    recorder.start();
    button.setAttribute("aria-pressed", "true");
    show();
  }

  button.addEventListener("click", async () => {
    if (recorder) return recorder.stop();
    try {
      record(await navigator.mediaDevices.getUserMedia({ audio: true }));
      if (said) said.textContent = "";
    } catch {
      if (said) said.textContent = button.dataset.refused ?? "";
    }
  });
}

for (const button of document.querySelectorAll("[data-voice]")) if (button instanceof HTMLButtonElement) watch(button);
