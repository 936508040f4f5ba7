// While an export is being prepared, its line follows by itself; without script, « Actualiser » does the same.

const PAUSE = 3000; // milliseconds between two looks

const place = document.getElementById("exports");
const said = document.getElementById("annonce");

function states(root) {
  return [...root.querySelectorAll("tbody .fr-badge")].map((one) => one.textContent.trim()).join();
}

// Nothing is replaced under the keyboard, or while a list is open.
function isInUse() {
  return place.contains(document.activeElement) || place.querySelector("details[open]") !== null;
}

async function look() {
  const response = document.hidden ? null : await fetch(location.href).catch(() => null);
  if (response?.redirected) return; // the session has ended: the page keeps what it shows
  if (response?.ok && !isInUse()) {
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("exports");
    if (!fresh) return;
    if (states(fresh) !== states(place)) said.textContent = "L’état de vos exports a changé.";
    place.replaceChildren(...fresh.childNodes);
    place.dataset.refreshes = fresh.dataset.refreshes;
  }
  if (place.dataset.refreshes === "yes") setTimeout(look, PAUSE);
}

if (place.dataset.refreshes === "yes") setTimeout(look, PAUSE);
