// @ts-check
// The route of a new round: one that was used before, with one tap; or a line from the map (map/route.js).

/** @param {HTMLElement} field */
function watchRoute(field) {
  const input = /** @type {HTMLInputElement | null} */ (field.querySelector("input[name=route]"));
  const said = /** @type {HTMLElement | null} */ (field.querySelector("[data-route-said]"));
  const name = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=name]"));
  const known = /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-route-known]"));
  if (!input || !said) return;

  function show() {
    const places = read(input?.value ?? "").length;
    if (said) said.textContent = places ? (said.dataset.some ?? "").replace("0", String(places)) : said.dataset.none ?? "";
    for (const button of known) button.setAttribute("aria-pressed", String(places > 0 && button.dataset.places === input?.value));
  }

  for (const button of known) {
    button.hidden = false;
    button.addEventListener("click", () => {
      input.value = button.dataset.places ?? "";
      if (name) name.value = button.dataset.name ?? "";
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
  input.form?.addEventListener("input", show);
  input.form?.addEventListener("draft:shown", show);
  show();
}

/** @param {string} text @returns {[number, number][]} */
export function read(text) {
  try {
    const found = JSON.parse(text || "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

for (const field of document.querySelectorAll("[data-route]")) if (field instanceof HTMLElement) watchRoute(field);
