// @ts-check
// The slider of an earlier time: says where it stands while it is moved, and goes there when it is let go.
const words = new Intl.DateTimeFormat("ja-JP", {
  month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Tokyo",
});

const SETTLED_MS = 500; // arrow keys move it a minute a press

for (const form of document.querySelectorAll("form[data-replay]")) {
  const range = form.querySelector("input[type=range]");
  const said = form.querySelector("output");
  if (!(form instanceof HTMLFormElement) || !(range instanceof HTMLInputElement)) continue;
  const say = () => {
    const text = words.format(Number(range.value));
    if (said) said.textContent = text;
    range.setAttribute("aria-valuetext", text);
  };
  range.addEventListener("input", say);
  if (!form.matches(".replay-time")) continue;
  let settled = 0;
  range.addEventListener("change", () => {
    window.clearTimeout(settled);
    settled = window.setTimeout(() => form.requestSubmit(), SETTLED_MS);
  });
}
