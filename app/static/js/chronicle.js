// @ts-check
// Quick entry: `c` goes to the line from anywhere on the page, Enter records it (never while an IME composes).
const form = document.querySelector("form[data-quick-line]");
const text = form?.querySelector("textarea");

text?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  if (form instanceof HTMLFormElement && text.value.trim() !== "") form.requestSubmit();
});
document.addEventListener("keydown", (event) => {
  const target = event.target;
  const types = target instanceof Element && target.matches("input, textarea, select, [contenteditable]");
  if (event.key !== "c" || types || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  event.preventDefault();
  text?.focus();
});
for (const box of document.querySelectorAll(".chip-choice input")) {
  box.addEventListener("change", () => /** @type {HTMLInputElement} */ (box).form?.requestSubmit());
}
