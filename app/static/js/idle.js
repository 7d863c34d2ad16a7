// @ts-check
// Nobody touched the page for a while: the node locks the session, and this page goes to the lock. A touch on a page that
// asks the node for nothing (a map that is moved, a long text) is told to it once a minute.
const TOLD_EVERY_MS = 60_000;
const LOOK_EVERY_MS = 5_000;
const minutes = Number(document.body.dataset.lockMinutes ?? 0);
let touchedAt = performance.now();
let toldAt = touchedAt;

function touched() {
  touchedAt = performance.now();
  if (touchedAt - toldAt < TOLD_EVERY_MS) return;
  toldAt = touchedAt;
  const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];
  fetch("/lock/alive", { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => { toldAt = 0; });
}

/** Another page of this person may have been touched meanwhile: the node knows. */
async function ask() {
  try {
    const answer = await fetch("/lock/state", { headers: { "X-Tomoshibi-Background": "1" } });
    const { locked, locks_in_s: left } = await answer.json();
    const here = encodeURIComponent(window.location.pathname + window.location.search);
    if (locked) window.location.assign(`${document.body.dataset.lock}?back=${here}`);
    else if (left !== null) touchedAt = performance.now() - minutes * 60_000 + Math.max(left, 1) * 1000;
  } catch {
    // The node does not answer: the strip of the page says so, and there is nobody to lock with.
  }
}

if (minutes > 0 && document.body.dataset.lock) {
  for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    addEventListener(kind, touched, { capture: true, passive: true });
  }
  window.setInterval(() => { if (performance.now() - touchedAt > minutes * 60_000) ask(); }, LOOK_EVERY_MS);
}
