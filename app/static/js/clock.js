// @ts-check
// Ages and the clock go on by themselves between two answers of the node; nothing is announced by this.
const loadedAt = performance.now();

function tick() {
  for (const place of document.querySelectorAll("[data-age-s]")) {
    const start = Number(place.getAttribute("data-age-s"));
    const shownAt = Number(place.getAttribute("data-shown-at") ?? loadedAt);
    const seconds = Math.floor(start + (performance.now() - shownAt) / 1000);
    const [unit, divisor] = seconds < 60 ? ["s", 1] : seconds < 3600 ? ["m", 60] : ["h", 3600];
    const words = place.getAttribute(`data-${unit}`);
    if (words) place.textContent = words.replace("0", String(Math.floor(seconds / Number(divisor))));
  }
  for (const place of document.querySelectorAll("[data-clock]")) {
    place.textContent = new Intl.DateTimeFormat("ja-JP", {
      hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Tokyo",
    }).format(Date.now() + Number(place.getAttribute("data-clock")));
  }
}

// A fragment that has just come counts from now on.
document.addEventListener("htmx:afterSettle", () => {
  for (const place of document.querySelectorAll("[data-age-s]:not([data-shown-at])")) {
    place.setAttribute("data-shown-at", String(performance.now()));
  }
});

window.setInterval(tick, 1000);
