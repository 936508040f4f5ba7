// Encrypted containers: the pages that the buttons of a space lead to, shown in a dialog of the form instead.
// Whatever goes wrong here, the plain page is opened: without this module every button works by itself.

const dialog = document.getElementById("conteneur");
let key = "";

const space = () => document.querySelector(`[data-container="${CSS.escape(key)}"]`);

async function ask(address, options) {
  const response = await fetch(address, { ...options, headers: { Accept: "application/json" } });
  if (!response.headers.get("Content-Type")?.startsWith("application/json")) throw new Error(response.status);
  return response.json();
}

function show(answer) {
  space().outerHTML = answer.space;
  const title = document.getElementById("conteneur-titre");
  const body = dialog.querySelector("[data-body]");
  title.textContent = answer.title;
  body.innerHTML = answer.html;
  body.querySelectorAll("form").forEach(follow);
  window.dsfr(dialog).modal.disclose();
  (body.querySelector("[aria-invalid=true]") ?? title).focus();
}

// The credentials leave the page with the dialog.
function close() {
  window.dsfr(dialog).modal.conceal();
  dialog.querySelector("[data-body]").replaceChildren();
}

function finish(answer) {
  close();
  space().outerHTML = answer.space;
  const status = document.createElement("p");
  status.className = "fr-message fr-message--valid";
  status.setAttribute("role", "status");
  status.textContent = answer.message;
  space().append(status);
  setTimeout(() => space().querySelector("a")?.focus());
}

function follow(form) {
  const button = form.querySelector("button[type=submit]");
  if (form.matches("[data-activation]")) {
    const box = form.querySelector("input[type=checkbox]");
    button.disabled = !box.checked;
    box.addEventListener("change", () => { button.disabled = !box.checked; });
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const answer = await ask(form.action, { method: "POST", body: new FormData(form) });
      if (answer.html) show(answer);
      else finish(answer);
    } catch {
      HTMLFormElement.prototype.submit.call(form);
    }
  });
}

async function open(opener) {
  key = opener.closest("[data-container]").dataset.container;
  try {
    if (opener.matches("a")) return show(await ask(opener.href));
    const token = new FormData();
    token.append("csrfmiddlewaretoken", opener.form.elements.csrfmiddlewaretoken.value);
    return show(await ask(opener.formAction, { method: "POST", body: token }));
  } catch {
    const plain = space().querySelector("[data-container-dialog]");
    delete plain.dataset.containerDialog;
    return plain.click();
  }
}

if (dialog) {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-container-dialog]");
    if (opener) {
      event.preventDefault();
      open(opener);
    } else if (event.target.closest("#conteneur [data-close]")) {
      event.preventDefault();
      close();
    }
  });
  dialog.addEventListener("dsfr.conceal", () => {
    dialog.querySelector("[data-body]").replaceChildren();
    // The design system gives the focus back to what opened the dialog, which the space has replaced since.
    setTimeout(() => {
      if (space()?.contains(document.activeElement) || dialog.hasAttribute("open")) return;
      space()?.querySelector("[data-container-dialog]")?.focus();
    }, 300);
  });
}
