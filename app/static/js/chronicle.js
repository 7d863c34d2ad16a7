// @ts-check
// Quick entry: Enter records the line (never while an IME composes).
const form = document.querySelector("form[data-quick-line]");
const text = form?.querySelector("textarea");

text?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  if (form instanceof HTMLFormElement && text.value.trim() !== "") form.requestSubmit();
});
for (const box of document.querySelectorAll(".chip-choice input")) {
  box.addEventListener("change", () => /** @type {HTMLInputElement} */ (box).form?.requestSubmit());
}
