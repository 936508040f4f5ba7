// A list that answers while one types; the address bar keeps the search.

const PAUSE = 250; // milliseconds without a key

for (const form of document.querySelectorAll("form[data-live-search]")) {
  const ids = form.dataset.liveSearch.split(" ");
  const said = document.createElement("p");
  said.setAttribute("role", "status");
  form.after(said);
  let timer;
  let asked = 0;

  function say(sentence) {
    said.textContent = sentence;
    said.className = sentence ? "fr-message fr-message--warning" : "";
  }

  async function search() {
    const rank = ++asked;
    const address = new URL(form.action || location.href);
    address.search = new URLSearchParams(new FormData(form));
    const response = await fetch(address).catch(() => null);
    if (rank !== asked) return;
    say(response?.ok ? "" : "La recherche ne répond pas. Appuyez sur « Rechercher ».");
    if (!response?.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!ids.every((id) => page.getElementById(id))) return location.assign(address);
    for (const id of ids) document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
    history.replaceState(null, "", address);
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });
}
