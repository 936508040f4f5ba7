// The form of a dossier; without this module every question is shown, and the server decides what is required.

const form = document.querySelector("form[data-step-form]");

// Conditional questions: shown while each answer that they name has one of the values that they name.
function answersTo(key) {
  const controls = [...form.querySelectorAll(`[name="${CSS.escape(key)}"]`)];
  return controls
    .filter((control) => !["radio", "checkbox"].includes(control.type) || control.checked)
    .map((control) => (control.type === "checkbox" && control.value === "on" ? true : control.value));
}

function showConditionalQuestions() {
  for (const question of form.querySelectorAll("[data-shown-if]")) {
    const conditions = Object.entries(JSON.parse(question.dataset.shownIf));
    question.hidden = !conditions.every(([key, accepted]) =>
      accepted.some((value) => answersTo(key).includes(value) || (value === false && answersTo(key).length === 0)),
    );
    question.querySelector("[data-condition]")?.setAttribute("hidden", "");
  }
}

// The checklist: « Tout confirmer » ticks every line without a reason; a reason unticks its line.
function countLines(list, count) {
  const lines = [...list.querySelectorAll("li")];
  const done = lines.filter((line) => isDone(line)).length;
  count.textContent = `${done} entité${done > 1 ? "s" : ""} traitée${done > 1 ? "s" : ""} sur ${lines.length}`;
}

const box = (line) => line.querySelector("input[type=checkbox]");
const reason = (line) => line.querySelector("input[type=text]");
const isDone = (line) => box(line).checked || reason(line).value.trim() !== "";

function followChecklist(list) {
  const frame = list.closest("fieldset");
  const count = frame.querySelector("[data-checklist-count]");
  frame.querySelector("[data-confirm-all]").addEventListener("click", (event) => {
    event.preventDefault();
    for (const line of list.querySelectorAll("li")) {
      if (reason(line).value.trim() === "") box(line).checked = true;
    }
    list.dispatchEvent(new Event("change", { bubbles: true }));
  });
  list.addEventListener("input", (event) => {
    const line = event.target.closest("li");
    if (line && event.target === reason(line) && event.target.value.trim() !== "") box(line).checked = false;
  });
  list.addEventListener("change", () => countLines(list, count));
  list.addEventListener("input", () => countLines(list, count));
  countLines(list, count);
}

if (form) {
  showConditionalQuestions();
  form.addEventListener("change", showConditionalQuestions);
  form.querySelectorAll("[data-checklist]").forEach(followChecklist);
  // An answer that was taken from elsewhere stands anew.
  form.addEventListener("ecare:renewed", (event) => {
    event.target.querySelectorAll("[data-checklist]").forEach(followChecklist);
    showConditionalQuestions();
  });
}

// A link to a question leads into its field; the card that holds it is renewed as answers are saved.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".ecare-remaining a");
  if (!link) return;
  const question = document.getElementById(link.hash.slice(1));
  setTimeout(() => (question?.querySelector("input:not([type=hidden]), select, textarea") ?? question)?.focus());
});

// On a narrow screen the card is compact.
if (window.matchMedia("(max-width: 61.99em)").matches) {
  document.querySelectorAll("details[data-closed-when-narrow]").forEach((details) => { details.open = false; });
}

// « Transmettre » is pressed once.
for (const once of document.querySelectorAll("form[data-once]")) {
  once.addEventListener("submit", () => {
    setTimeout(() => once.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = true; }));
  });
}
