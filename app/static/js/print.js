// @ts-check
// Sheets that are printed by the browser itself.
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());
