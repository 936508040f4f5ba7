// Each answer is saved as it is typed: one request per question, one at a time, and never in silence when it fails.
// Without this module « Enregistrer comme brouillon » saves the page, under the same rules.

const form = document.querySelector("form[data-step-form]");

const PAUSE = 900; // milliseconds without a key
const WAITS = [3, 5, 10, 20, 30]; // seconds before each new try
const SMALL = 50_000; // characters of a request that may outlive its page
const KEY = `ecare:typed:${form?.dataset.dossier}`;

const ENDED = "Votre session a pris fin. Ce que vous avez saisi reste dans cette page mais n’est plus enregistré. Reconnectez-vous dans un nouvel onglet, puis revenez ici : l’enregistrement reprendra tout seul.";
const OFFLINE = "Vos dernières réponses ne sont pas enregistrées : le service ne répond pas. Vérifiez votre connexion et gardez cette page ouverte ; un nouvel essai se fait tout seul.";
const ELSEWHERE = "Vos dernières réponses ne sont pas enregistrées : ce dossier n’est pas accessible avec le compte connecté. Reconnectez-vous avec le vôtre.";

// --- what is still to be saved ----------------------------------------------------------------------------------
const waiting = new Set(); // questions (elements) to send
const unsaved = new Set(); // questions whose value on screen is not the stored one
let isSending = false;
let failures = 0;
let retry;
let resolvers = [];
let hasFailed = false;

const nameOf = (question) => question.id.replace("question-", "");
const controlsOf = (question) => [...question.querySelectorAll("input, select, textarea")].filter((control) => control.name && !control.name.startsWith("_"));

const focusOn = (question) => controlsOf(question).find((control) => control.type !== "hidden")?.focus();

function bodyOf(question) {
  const data = new URLSearchParams();
  for (const name of ["csrfmiddlewaretoken", "_page"]) data.append(name, form.elements[name].value);
  const mark = question.querySelector("[data-mark]");
  data.append(mark.name, mark.value);
  for (const control of controlsOf(question)) {
    if (!["radio", "checkbox"].includes(control.type) || control.checked) data.append(control.name, control.value);
  }
  return data.toString();
}

function ask(question) {
  unsaved.add(question);
  waiting.add(question);
  remember();
  sendAll();
}

async function sendAll() {
  if (isSending) return;
  isSending = true;
  clearTimeout(retry);
  try {
    while (waiting.size > 0) {
      const [question] = waiting;
      waiting.delete(question);
      if (!(await send(question))) {
        waiting.add(question);
        break;
      }
    }
  } finally {
    isSending = false;
    resolvers.splice(0).forEach((resolve) => resolve());
  }
}

// Resolves once nothing is on its way any more, saved or not.
form && (form.whenSaved = () => {
  for (const question of timers.keys()) hurry(question);
  return isSending ? new Promise((resolve) => resolvers.push(resolve)) : Promise.resolve();
});

// --- one question -------------------------------------------------------------------------------------------------
async function send(question, isSecondTry = false) {
  const body = bodyOf(question);
  say(question, "Enregistrement…");
  let response;
  try {
    response = await fetch(question.dataset.answer, {
      method: "POST",
      headers: { "Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded" },
      body,
      redirect: "manual",
      keepalive: body.length < SMALL,
    });
  } catch {
    return fail(question, OFFLINE, { again: true });
  }
  if (response.type === "opaqueredirect" || response.status === 401) return fail(question, ENDED, { signIn: true, again: true });
  if (response.status === 403 && !isSecondTry) return (await renewToken(question)) && send(question, true);
  if (response.status === 404) return fail(question, ELSEWHERE, { signIn: true });
  const answer = await response.json().catch(() => null);
  if (!answer || ![200, 409, 422].includes(response.status)) return fail(question, OFFLINE, { again: true });
  if (answer.message) return fail(question, `Vos dernières réponses ne sont pas enregistrées. ${answer.message}`, {});
  recover();
  if (response.status === 200) kept(question, answer, body);
  else refused(question, answer);
  return true;
}

function kept(question, answer, body) {
  question.querySelector("[data-mark]").value = answer.mark;
  clearErrors(question);
  const note = question.querySelector("[data-note]");
  note.textContent = answer.note;
  note.hidden = !answer.note;
  renewSide(answer.side);
  renewDialogs(answer.dialogs ?? "");
  const isSame = bodyOf(question).split("&").slice(3).join("&") === body.split("&").slice(3).join("&");
  if (isSame && !waiting.has(question)) {
    unsaved.delete(question);
    say(question, `Enregistré à ${answer.at}`, "kept");
  }
  remember();
  if (hasFailed && unsaved.size === 0) {
    hasFailed = false;
    announce("Toutes vos réponses sont enregistrées.");
  }
}

function refused(question, answer) {
  if (answer.mark) question.querySelector("[data-mark]").value = answer.mark; // what is right in it was kept
  remember();
  const isBeingTyped = timers.has(question) || (question.contains(document.activeElement) && question.dataset.typing === "1");
  if (isBeingTyped && !answer.conflict) return say(question, "Pas encore enregistré");
  showErrors(question, answer.errors, answer.cells ?? []);
  if (answer.conflict) question.querySelector("[data-note]").insertAdjacentHTML("beforebegin", answer.conflict);
  say(question, answer.conflict ? "Non enregistré : choisissez l’une des deux réponses." : "Non enregistré : corrigez cette réponse.", "failed");
}

function fail(question, sentence, { again = false, signIn = false }) {
  hasFailed = true;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "fr-btn fr-btn--tertiary fr-btn--sm";
  button.textContent = "Réessayer";
  button.addEventListener("click", () => { failures = 0; ask(question); });
  for (const other of new Set([question, ...waiting])) say(other, "Non enregistré.", "failed");
  question.querySelector("[data-saving]").append(" ", button);
  raise(sentence, signIn);
  if (again) {
    clearTimeout(retry);
    retry = setTimeout(sendAll, 1000 * WAITS[Math.min(failures, WAITS.length - 1)]);
    failures += 1;
  }
  return false;
}

// Signing in again in another tab has changed the token of this page's forms: read it where the form stands.
async function renewToken(question) {
  try {
    const response = await fetch(window.location.pathname, { redirect: "manual" });
    if (response.type === "opaqueredirect") return fail(question, ENDED, { signIn: true, again: true });
    if (!response.ok) return fail(question, ELSEWHERE, { signIn: true });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const token = page.querySelector("form[data-step-form] [name=csrfmiddlewaretoken]");
    if (!token) return fail(question, "Vos dernières réponses ne sont pas enregistrées : ce formulaire n’est plus modifiable. Rechargez la page.", {});
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token.value;
    return true;
  } catch {
    return fail(question, OFFLINE, { again: true });
  }
}

// --- what is said ---------------------------------------------------------------------------------------------------
function say(question, text, kind = "") {
  const place = question.querySelector("[data-saving]");
  place.textContent = text;
  place.dataset.saving = kind;
}

const status = document.createElement("p");
status.className = "fr-sr-only";
status.setAttribute("role", "status");
const alarm = document.createElement("div");
alarm.className = "fr-alert fr-alert--error ecare-alarm";
alarm.setAttribute("role", "alert");
alarm.hidden = true;

// One sentence at a time, and only what needs attention: each « Enregistré » is seen, not read out.
function announce(text) {
  status.textContent = text;
}

function raise(sentence, signIn) {
  if (alarm.dataset.said === sentence) return;
  alarm.dataset.said = sentence;
  const title = document.createElement("p");
  title.className = "fr-alert__title";
  title.textContent = "Non enregistré";
  const text = document.createElement("p");
  text.textContent = sentence;
  alarm.replaceChildren(title, text);
  if (signIn) {
    const link = document.createElement("a");
    link.href = form.dataset.signIn;
    link.target = "_blank";
    link.rel = "noopener";
    link.className = "fr-link";
    link.textContent = "Se reconnecter (nouvel onglet)";
    alarm.append(link);
  }
  alarm.hidden = false;
}

function recover() {
  failures = 0;
  clearTimeout(retry);
  alarm.hidden = true;
  alarm.dataset.said = "";
}

// `cells`: of a question of many controls, those at fault.
function showErrors(question, errors, cells) {
  clearErrors(question);
  const place = document.createElement("div");
  place.className = "fr-messages-group";
  place.id = `${question.id}-refused`;
  place.dataset.errors = "";
  for (const error of errors) {
    const message = document.createElement("p");
    message.className = "fr-message fr-message--error";
    message.textContent = error;
    place.append(message);
  }
  question.querySelector("[data-note]").before(place);
  question.classList.add("ecare-question--error");
  const all = controlsOf(question);
  const wrong = all.filter((control) => cells.includes(control.id));
  wrong.forEach((control) => control.classList.add("fr-input--error"));
  for (const control of wrong.length > 0 ? wrong : all) {
    control.setAttribute("aria-invalid", "true");
    const described = (control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
    control.setAttribute("aria-describedby", [...described, place.id].join(" "));
  }
  announce(errors.join(" "));
}

function clearErrors(question) {
  question.classList.remove("ecare-question--error");
  question.querySelectorAll("[data-errors], [data-conflict]").forEach((element) => element.remove());
  question.querySelectorAll(".fr-message--error").forEach((element) => element.remove());
  question.querySelectorAll(".fr-input--error, .ecare-expense--wrong").forEach((element) => element.classList.remove("fr-input--error", "ecare-expense--wrong"));
  question.querySelectorAll(".fr-fieldset--error, .fr-input-group--error, .fr-select-group--error, .fr-checkbox-group--error").forEach((element) => {
    element.classList.remove("fr-fieldset--error", "fr-input-group--error", "fr-select-group--error", "fr-checkbox-group--error");
  });
  for (const control of controlsOf(question)) {
    control.removeAttribute("aria-invalid");
    const described = (control.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && document.getElementById(id));
    if (described.length > 0) control.setAttribute("aria-describedby", described.join(" "));
    else control.removeAttribute("aria-describedby");
  }
}

function renewSide(html) {
  const shown = document.querySelector(".ecare-side");
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".ecare-side");
  if (!shown || !fresh || shown.contains(document.activeElement)) return;
  const open = [...shown.querySelectorAll("details")].map((details) => details.open);
  fresh.querySelectorAll("details").forEach((details, place) => { details.open = open[place] ?? details.open; });
  const scrolled = shown.scrollTop;
  shown.replaceWith(fresh);
  fresh.scrollTop = scrolled;
}

// The contacts are edited in dialogs too: each shows what was just saved, unless somebody is typing in it.
function renewDialogs(html) {
  for (const fresh of new DOMParser().parseFromString(html, "text/html").querySelectorAll("dialog")) {
    const shown = document.getElementById(fresh.id);
    if (!shown || shown.hasAttribute("open")) continue;
    shown.querySelector(".fr-modal__content").replaceWith(fresh.querySelector(".fr-modal__content"));
  }
}

// --- a choice between two values ------------------------------------------------------------------------------------
async function choose(event) {
  const button = event.target.closest("[data-keep], [data-take]");
  if (!button) return;
  event.preventDefault();
  const question = button.closest("[data-answer]");
  if (button.dataset.keep) {
    question.querySelector("[data-mark]").value = button.dataset.keep;
    focusOn(question);
    return ask(question);
  }
  const response = await fetch(window.location.pathname, { redirect: "manual" }).catch(() => null);
  if (!response?.ok) return fail(question, response?.type === "opaqueredirect" ? ENDED : OFFLINE, { signIn: Boolean(response) });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById(question.id);
  if (!fresh) return window.location.reload();
  waiting.delete(question);
  unsaved.delete(question);
  fresh.hidden = question.hidden;
  question.replaceWith(fresh);
  remember();
  fresh.dispatchEvent(new Event("ecare:renewed", { bubbles: true }));
  fresh.dispatchEvent(new Event("ecare:shown", { bubbles: true }));
  focusOn(fresh);
  renewSide(page.querySelector(".ecare-side").outerHTML);
}

// --- what this tab keeps of it ---------------------------------------------------------------------------------------
// Only what is not saved, until it is; it dies with the tab.
function remember() {
  try {
    const kept = {};
    for (const question of unsaved) {
      kept[nameOf(question)] = { mark: question.querySelector("[data-mark]").value, values: valuesOf(question) };
    }
    if (Object.keys(kept).length > 0) sessionStorage.setItem(KEY, JSON.stringify(kept));
    else sessionStorage.removeItem(KEY);
  } catch { /* storage refused or full: the page itself still holds what was typed */ }
}

const valuesOf = (question) => controlsOf(question).map((control) => (["radio", "checkbox"].includes(control.type) ? control.checked : control.value));

function bringBack() {
  let kept = {};
  try {
    kept = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
  } catch { /* nothing readable */ }
  for (const [name, { mark, values }] of Object.entries(kept)) {
    const question = document.getElementById(`question-${name}`);
    if (!question?.dataset.answer) continue;
    const add = question.querySelector("[data-add-line]");
    while (add && !add.disabled && controlsOf(question).length < values.length) add.click();
    const controls = controlsOf(question);
    if (controls.length !== values.length) continue;
    controls.forEach((control, place) => {
      if (["radio", "checkbox"].includes(control.type)) control.checked = values[place];
      else control.value = values[place];
    });
    question.querySelector("[data-mark]").value = mark;
    unsaved.add(question);
    waiting.add(question);
  }
  if (waiting.size > 0) sendAll();
}

// --- the page ----------------------------------------------------------------------------------------------------------
const timers = new Map();

function hurry(question) {
  clearTimeout(timers.get(question));
  timers.delete(question);
  ask(question);
}

function follow(event) {
  const question = event.target.closest("[data-answer]");
  if (!question || event.target.type === "file") return;
  const isTyping = event.type === "input" && !["radio", "checkbox", "select-one", "date"].includes(event.target.type);
  question.dataset.typing = isTyping ? "1" : "";
  unsaved.add(question);
  if (question.querySelector("[data-conflict]")) return remember(); // two values: the person chooses first
  if (event.type === "change") return hurry(question);
  if (!isTyping) return;
  clearTimeout(timers.get(question));
  say(question, "");
  timers.set(question, setTimeout(() => hurry(question), PAUSE));
}

// The page that is sent must carry what the latest save answered.
function holdBack(event) {
  if (event.defaultPrevented || (!isSending && timers.size === 0)) return;
  event.preventDefault();
  const button = event.submitter;
  form.whenSaved().then(() => form.requestSubmit(button));
}

function again() {
  if (document.visibilityState === "visible" && waiting.size > 0 && hasFailed) sendAll();
}

if (form) {
  form.prepend(status);
  form.before(alarm);
  let isLeaving = false;
  for (const question of form.querySelectorAll("[data-saving][data-unsaved]")) unsaved.add(question.closest("[data-answer]"));
  bringBack();
  form.addEventListener("input", follow);
  form.addEventListener("change", follow);
  form.addEventListener("click", choose);
  form.addEventListener("submit", holdBack);
  form.addEventListener("submit", (event) => { isLeaving = !event.defaultPrevented; });
  window.addEventListener("online", again);
  window.addEventListener("focus", again);
  document.addEventListener("visibilitychange", again);
  window.addEventListener("beforeunload", (event) => {
    if (!isLeaving && (unsaved.size > 0 || timers.size > 0)) event.preventDefault();
  });
}
