// @ts-check
// Three sounds, each under a second: an ordinary message, an instruction, an urgent one. Made here, so that no file
// has to be fetched. A browser is silent until the page was touched once: until then nothing can be heard.
/** @type {Record<string, [frequency: number, from: number, length: number][]>} */
const TUNES = {
  message: [[660, 0, 0.12]],
  order: [[660, 0, 0.16], [880, 0.2, 0.24]],
  urgent: [[988, 0, 0.16], [740, 0.2, 0.16], [988, 0.4, 0.16], [740, 0.6, 0.24]],
};
const VIBRATIONS = { message: [80], order: [150, 80, 150], urgent: [300, 100, 300, 100, 300] };
/** @type {AudioContext | undefined} */
let context;

function unlock() {
  context ??= new AudioContext();
  void context.resume();
}
for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, unlock, { once: true, capture: true });

/** @param {"message" | "order" | "urgent"} name */
export function play(name) {
  document.dispatchEvent(new CustomEvent("tomoshibi:sound", { detail: name }));
  navigator.vibrate?.(VIBRATIONS[name]);
  context ??= new AudioContext();
  for (const [frequency, from, length] of TUNES[name]) {
    const tone = new OscillatorNode(context, { frequency, type: "triangle" });
    const loud = new GainNode(context, { gain: 0 });
    const at = context.currentTime + from;
    loud.gain.setValueAtTime(0, at);
    loud.gain.linearRampToValueAtTime(0.5, at + 0.02);
    loud.gain.linearRampToValueAtTime(0, at + length);
    tone.connect(loud).connect(context.destination);
    tone.start(at);
    tone.stop(at + length);
  }
}

for (const button of document.querySelectorAll("[data-sound]")) {
  button.addEventListener("click", () => {
    unlock();
    play(/** @type {"message" | "order" | "urgent"} */ (button.getAttribute("data-sound")));
  });
}
