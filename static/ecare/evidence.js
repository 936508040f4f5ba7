// Evidence spaces: files are checked, sent one after the other and listed as soon as they are chosen or dropped.
// Without this module the same form works with its « Déposer » button.

import { Final, canSendInParts, sendInParts } from "./upload.js";

const LOST = "l’envoi n’a pas abouti. Vérifiez votre connexion et que vous êtes toujours connecté, puis déposez le fichier à nouveau.";
const RESUMABLE = "l’envoi n’a pas abouti. Vérifiez que vous êtes toujours connecté, puis choisissez à nouveau ce fichier : l’envoi reprendra où il s’est arrêté.";
const UNIT = 1024 * 1024;
let sending = 0;
let isLeaving = false;
// The button pressed while files were still on their way: pressed anew once they have all arrived.
let waiting = null;

// Large files go one at a time, whatever their spaces: side by side each would only be slower.
let turn = Promise.resolve();
function inTurn(send) {
  const sent = turn.then(send);
  turn = sent.catch(() => {});
  return sent;
}

function start(space) {
  const input = space.querySelector("input[type=file]");
  const zone = space.querySelector("[data-zone]");
  const queue = [];
  const spoken = document.createElement("p");
  let isBusy = false;

  spoken.className = "fr-sr-only";
  spoken.setAttribute("role", "status");
  space.append(spoken);
  (space.querySelector("[data-deposit]") ?? input.form.querySelector("[data-deposit]")).hidden = true;
  space.querySelector("[data-invitation]").hidden = false;
  zone.classList.add("ecare-space__zone--live");

  // The real control covers the whole zone: a click, a drop, the keyboard and a screen reader all reach it.
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, () => zone.classList.add("ecare-space__zone--over"));
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("ecare-space__zone--over"));
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    clear();
    let room = Number(space.dataset.maxFiles) - count() - queue.length - (isBusy ? 1 : 0);
    for (const file of files) {
      const problem = room > 0 ? problemOf(file) : "le nombre maximum de fichiers de cet espace est atteint.";
      if (problem) {
        tell(`« ${file.name} » : ${problem}`, "error");
      } else {
        room -= 1;
        queue.push({ file, line: addLine(file) });
      }
    }
    next();
  });

  function problemOf(file) {
    const extension = file.name.includes(".") ? `.${file.name.split(".").pop().toLowerCase()}` : "";
    if (!space.dataset.formats.split(",").includes(extension)) {
      return `ce format n’est pas autorisé ici. Formats autorisés : ${space.dataset.formats.replaceAll(".", "").replaceAll(",", ", ")}.`;
    }
    if (file.size > Number(space.dataset.maxBytes)) {
      return `ce fichier dépasse ${Number(space.dataset.maxBytes) / UNIT} Mo. Réduisez-le ou partagez-le en plusieurs fichiers.`;
    }
    return file.size === 0 ? "ce fichier est vide." : "";
  }

  async function next() {
    if (isBusy || queue.length === 0) return;
    isBusy = true;
    sending += 1;
    const { file, line } = queue.shift();
    try {
      show(file, await (isLarge(file) ? inTurn(() => sendLarge(file, line)) : send(file, line)));
    } catch (problem) {
      tell(`« ${file.name} » : ${problem?.message || (isLarge(file) ? RESUMABLE : LOST)}`, "error");
    }
    line.remove();
    list().hidden = list().children.length === 0;
    isBusy = false;
    sending -= 1;
    if (queue.length === 0 && !isLeaving) refreshSide();
    next();
    if (sending === 0) goOn();
  }

  async function send(file, line) {
    // The answers that decide which spaces are asked for go first, each by itself (autosave.js).
    await input.form.whenSaved?.();
    const data = new FormData();
    for (const [name, value] of new FormData(input.form)) {
      if (!(value instanceof File) && name !== "_page") data.append(name, value);
    }
    data.append(space.dataset.space, file);
    const request = new XMLHttpRequest();
    return new Promise((resolve, reject) => {
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) advance(line, event.loaded / event.total);
      });
      request.addEventListener("load", () => (request.response ? resolve(request.response) : reject()));
      for (const name of ["error", "abort", "timeout"]) request.addEventListener(name, reject);
      request.open("POST", space.dataset.address);
      request.responseType = "json";
      request.setRequestHeader("Accept", "application/json");
      request.send(data);
    });
  }

  function isLarge(file) {
    return canSendInParts() && file.size > Number(space.dataset.partBytes);
  }

  async function sendLarge(file, line) {
    await input.form.whenSaved?.();
    let id = "";
    try {
      return await sendInParts(file, {
        address: space.dataset.uploads,
        partBytes: Number(space.dataset.partBytes),
        announced: { space: space.dataset.space, replaces: space.dataset.replaces ?? "" },
        token: input.form.elements.csrfmiddlewaretoken.value,
        tell: {
          begun: (started) => {
            id = started;
            unfinished(id)?.setAttribute("hidden", "");
          },
          advanced: (share) => advance(line, share),
          interrupted: () => interrupt(file, line, true),
          resumed: () => interrupt(file, line, false),
        },
      });
    } catch (problem) {
      unfinished(id)?.removeAttribute("hidden");
      throw problem instanceof Final ? problem : new Final();
    }
  }

  function unfinished(id) {
    return space.querySelector(`[data-unfinished="${CSS.escape(id)}"]`);
  }

  function show(file, answer) {
    if (answer.next) {
      isLeaving = true;
      window.location.assign(answer.next);
      return;
    }
    for (const reason of answer.errors ?? []) tell(reason, "error");
    if (answer.errors) return;
    const html = answer.lists?.[space.dataset.space];
    if (html !== undefined) space.querySelector("[data-files-place]").innerHTML = html;
    const refused = answer.refused?.[space.dataset.space] ?? [];
    for (const [name, reason] of refused) tell(`« ${name} » : ${reason}`, "error");
    if (answer.message) tell(`« ${file.name} » : ${answer.message}`, "error");
    else if (refused.length === 0) tell(`« ${file.name} » est déposé.`, "valid");
    const isFull = count() >= Number(space.dataset.maxFiles);
    zone.hidden = isFull;
    space.querySelector("[data-full]").hidden = !isFull;
    if (isFull) space.focus();
  }

  function addLine(file) {
    const line = document.createElement("li");
    const name = document.createElement("span");
    const bar = document.createElement("progress");
    const percent = document.createElement("span");
    name.textContent = file.name;
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", `Envoi de ${file.name}`);
    percent.textContent = "En attente";
    line.append(name, bar, percent);
    list().append(line);
    list().hidden = false;
    return line;
  }

  function advance(line, share) {
    const percent = Math.floor(share * 100);
    line.querySelector("progress").value = percent;
    line.lastElementChild.textContent = percent < 100 ? `${percent} %` : "Vérification…";
  }

  // Said aloud once, not at each attempt.
  function interrupt(file, line, isInterrupted) {
    if (line.classList.contains("ecare-space__interrupted") === isInterrupted) return;
    line.classList.toggle("ecare-space__interrupted", isInterrupted);
    line.lastElementChild.textContent = isInterrupted ? "Envoi interrompu, reprise…" : "Envoi repris";
    spoken.textContent = `« ${file.name} » : ${isInterrupted ? "envoi interrompu, reprise" : "envoi repris"}.`;
  }

  function tell(text, kind) {
    if (kind === "error") waiting = null;
    const message = document.createElement("p");
    message.className = `fr-message fr-message--${kind}`;
    message.textContent = text;
    space.querySelector("[data-messages]").append(message);
    space.classList.toggle("ecare-space--error", kind === "error");
    if (kind === "error") input.setAttribute("aria-invalid", "true");
  }

  function clear() {
    space.querySelector("[data-messages]").replaceChildren();
    space.classList.remove("ecare-space--error");
    input.removeAttribute("aria-invalid");
  }

  function list() {
    return space.querySelector("[data-progress]");
  }

  function count() {
    return space.querySelectorAll("[data-files] > li").length;
  }
}

// The card at the side (questions that remain) follows what was put in; only the latest answer counts.
let refreshes = 0;
async function refreshSide() {
  refreshes += 1;
  const rank = refreshes;
  const page = await (await fetch(window.location.pathname)).text();
  const fresh = new DOMParser().parseFromString(page, "text/html").querySelector(".ecare-side");
  const shown = document.querySelector(".ecare-side");
  if (!fresh || !shown || rank !== refreshes) return;
  const open = [...shown.querySelectorAll("details")].map((details) => details.open);
  fresh.querySelectorAll("details").forEach((details, place) => { details.open = open[place] ?? details.open; });
  shown.replaceWith(fresh);
}

// « Suivant » and « Enregistrer comme brouillon » wait for the files; if one is refused, the page stays and shows why.
const status = document.createElement("p");
status.setAttribute("role", "status");

function holdBack(event) {
  if (sending === 0) return;
  event.preventDefault();
  waiting = event.submitter;
  status.textContent = "Vos fichiers sont en cours d’envoi. La page continuera dès qu’ils seront arrivés.";
}

function goOn() {
  status.textContent = "";
  const button = waiting;
  waiting = null;
  if (button) button.form.requestSubmit(button);
}

for (const space of document.querySelectorAll("[data-space]")) start(space);
const form = document.querySelector("form[data-step-form]");
if (form) {
  form.querySelector(".ecare-step-buttons").before(status);
  form.addEventListener("submit", holdBack);
}

window.addEventListener("beforeunload", (event) => {
  if (sending > 0 && !isLeaving) event.preventDefault();
});
