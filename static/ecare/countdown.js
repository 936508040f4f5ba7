// Seconds that pass on the page of the code; the page also says the hour without script.

for (const place of document.querySelectorAll("[data-seconds], [data-countdown]")) {
  const isClock = "countdown" in place.dataset;
  const end = Date.now() + 1000 * Number(place.dataset.countdown ?? place.dataset.seconds);

  function tell() {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    place.textContent = isClock ? ` (encore ${Math.floor(left / 60)} min ${String(left % 60).padStart(2, "0")} s)` : left;
    place.hidden = false;
    if (left) setTimeout(tell, 1000);
  }

  tell();
}
