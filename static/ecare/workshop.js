// The editor of a question shows only the groups of fields that its kind has a use for; one with an error stays.
const kind = document.getElementById("id_kind");

function refresh() {
  for (const group of document.querySelectorAll(".ecare-for-kind")) {
    const isUseful = group.classList.contains(`kind-${kind.value}`);
    group.hidden = !isUseful && !group.querySelector(".errorlist");
  }
}

if (kind) {
  kind.addEventListener("change", refresh);
  refresh();
}

// A page about work that goes on looks again by itself, unless somebody is busy in it.
if (document.querySelector("[data-refresh]")) {
  const look = () => {
    if (document.activeElement === document.body && document.visibilityState === "visible") location.reload();
    else setTimeout(look, 3000);
  };
  setTimeout(look, 3000);
}
