// @ts-check
// The parts of a damage report's form that belong to the chosen category are open, those that do not are put away;
// of the subcategories only those of the category are offered. What was typed is never hidden.

/** @param {HTMLFormElement} form */
function watchParts(form) {
  const chosen = () => {
    const select = form.querySelector("select[data-category]");
    if (select instanceof HTMLSelectElement) return select.selectedOptions[0] ?? null;
    return form.querySelector("input[name=category]:checked");
  };
  const said = (/** @type {Element} */ part) =>
    [...part.querySelectorAll("input, select, textarea")].some((field) =>
      field instanceof HTMLInputElement && field.type === "radio" ? field.checked && field.value !== ""
        : field instanceof HTMLInputElement && field.type === "hidden" ? false
          : "value" in field && field.value !== "");

  /** @param {string} code */
  function offer(code) {
    const select = form.querySelector("select[data-subcategory]");
    if (!(select instanceof HTMLSelectElement)) return;
    const groups = [...select.querySelectorAll("optgroup")];
    const own = groups.some((group) => group.dataset.of === code);
    for (const group of groups) {
      const keeps = group.dataset.of === code || !own || [...group.children].some((option) => option === select.selectedOptions[0]);
      group.hidden = group.disabled = !keeps;
    }
  }

  const phrases = form.querySelector("[data-phrases]");
  const summary = form.querySelector("[name=summary]");
  /** @param {string} code */
  function suggest(code) {
    if (!(phrases instanceof HTMLElement)) return;
    for (const one of phrases.querySelectorAll("[data-phrase]")) {
      if (one instanceof HTMLElement) one.hidden = one.dataset.of !== "" && one.dataset.of !== code;
    }
    phrases.hidden = phrases.querySelector("[data-phrase]:not([hidden])") === null;
  }
  phrases?.addEventListener("click", (event) => {
    const one = event.target instanceof Element ? event.target.closest("[data-phrase]") : null;
    if (!one || !(summary instanceof HTMLInputElement)) return;
    summary.value = summary.value.trim() === "" ? one.textContent ?? "" : `${summary.value.trim()}、${one.textContent}`;
    summary.dispatchEvent(new Event("input", { bubbles: true }));
  });

  let before = "-";
  const show = () => {
    const category = chosen();
    const code = category instanceof HTMLInputElement || category instanceof HTMLOptionElement ? category.value : "";
    if (before === code) return;
    before = code;
    suggest(code);
    if (code === "") return;
    const wanted = (category instanceof HTMLElement ? category.dataset.forms ?? "" : "").split(" ");
    for (const part of form.querySelectorAll("details[data-part]")) {
      if (!(part instanceof HTMLDetailsElement) || part.dataset.part === "record") continue;
      const belongs = wanted.includes(part.dataset.part ?? "");
      part.hidden = !belongs && !said(part);
      part.open = belongs || said(part);
    }
    offer(code);
  };
  form.addEventListener("change", show);
  form.addEventListener("draft:shown", show);
  show();
}

for (const form of document.querySelectorAll("form[data-parts]")) if (form instanceof HTMLFormElement) watchParts(form);
