// Lines of expenses: added, taken away and summed up at once; without this module the buttons post the form.

const AMOUNT = /^[0-9]{1,15}([.,][0-9]{1,2})?$/;
const EUROS = new Intl.NumberFormat("fr-FR", { style: "currency", currency: "EUR", minimumFractionDigits: 0 });
const ROUND = new Intl.NumberFormat("fr-FR", { style: "currency", currency: "EUR" });

function cents(text) {
  const plain = text.replace(/[\s€]/gu, "");
  return AMOUNT.test(plain) ? Math.round(Number(plain.replace(",", ".")) * 100) : 0;
}

function follow(frame) {
  const key = frame.dataset.expenses;
  const most = Number(frame.dataset.most);
  const list = frame.querySelector("[data-expense-lines]");
  const add = frame.querySelector("[data-add-line]");
  const said = frame.querySelector("[data-said]");
  let next = list.children.length;

  const rankOf = (line) => [...list.children].indexOf(line) + 1;
  const fields = (line) => [...line.querySelectorAll("input")];

  function sumUp() {
    const sum = [...list.querySelectorAll("[data-amount]")].reduce((total, one) => total + cents(one.value), 0);
    frame.querySelector("[data-total]").textContent = (sum % 100 ? ROUND : EUROS).format(sum / 100);
  }

  function tidy(message) {
    for (const line of list.children) line.setAttribute("aria-label", `Ligne ${rankOf(line)}`);
    add.disabled = list.children.length >= most;
    said.textContent = add.disabled ? `${message} ${most} lignes au plus.` : message;
    sumUp();
  }

  // The last line, emptied, under names of its own.
  function blank() {
    const line = list.lastElementChild.cloneNode(true);
    const rank = next;
    next += 1;
    line.classList.remove("ecare-expense--wrong");
    line.querySelectorAll(".fr-message").forEach((one) => one.remove());
    for (const field of fields(line)) {
      const cell = field.name.split(":").pop();
      const id = field.id.replace(/_[0-9]+_[a-z]+$/, `_${rank}_${cell}`);
      line.querySelector(`label[for="${CSS.escape(field.id)}"]`).htmlFor = id;
      field.id = id;
      field.name = `${key}:${rank}:${cell}`;
      field.value = "";
      field.classList.remove("fr-input--error");
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
    line.querySelector("[data-remove-line]").value = rank;
    return line;
  }

  add.addEventListener("click", (event) => {
    event.preventDefault();
    const line = blank();
    list.append(line);
    tidy(`Ligne ${rankOf(line)} ajoutée.`);
    fields(line)[0].focus();
  });

  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove-line]");
    if (!button) return;
    event.preventDefault();
    const line = button.closest(".ecare-expense");
    const rank = rankOf(line);
    const beside = line.nextElementSibling ?? line.previousElementSibling;
    if (!beside) list.append(blank());
    line.remove();
    tidy(`Ligne ${rank} retirée.`);
    fields(beside ?? list.firstElementChild)[0].focus();
    list.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // What was said of a cell, or of a line to complete, is no longer true once it is typed anew.
  list.addEventListener("input", (event) => {
    const line = event.target.closest(".ecare-expense");
    document.getElementById(`${event.target.id}_error`)?.remove();
    event.target.classList.remove("fr-input--error");
    event.target.removeAttribute("aria-invalid");
    event.target.removeAttribute("aria-describedby");
    if (!line.querySelector(".fr-message--error")) line.classList.remove("ecare-expense--wrong");
    if (fields(line).every((field) => field.value.trim() !== "")) line.querySelector("[data-missing]")?.remove();
    sumUp();
  });
  add.disabled = list.children.length > most;
}

document.querySelectorAll("[data-expenses]").forEach(follow);
document.addEventListener("ecare:renewed", (event) => event.target.querySelectorAll("[data-expenses]").forEach(follow));
