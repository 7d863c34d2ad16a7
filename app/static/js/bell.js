// @ts-check
// The locked screen goes on sounding: one tone when more waits than before, three when something urgent came.
/** @type {AudioContext | null} */
let speaker = null;

/** @param {number} times */
export function ring(times) {
  speaker ??= new AudioContext();
  for (let number = 0; number < times; number += 1) {
    const tone = speaker.createOscillator(), loudness = speaker.createGain(), at = speaker.currentTime + number * 0.45;
    tone.frequency.value = times > 1 ? 990 : 660;
    loudness.gain.setValueAtTime(0.4, at);
    loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
    tone.connect(loudness).connect(speaker.destination);
    tone.start(at);
    tone.stop(at + 0.4);
  }
}

function counted() {
  const place = document.getElementById("lock-waiting");
  return { messages: Number(place?.dataset.messages ?? 0), urgent: Number(place?.dataset.urgent ?? 0) };
}

let known = counted();
document.addEventListener("htmx:afterSettle", () => {
  const now = counted();
  const times = now.urgent > known.urgent ? 3 : now.messages > known.messages ? 1 : 0;
  known = now;
  if (!times) return;
  document.documentElement.dataset.rung = String(Number(document.documentElement.dataset.rung ?? 0) + times);
  ring(times);
});
