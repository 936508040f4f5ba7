// Small comforts; every page works without them.

// A form that came back in error: its summary is read first.
document.querySelector("[data-error-summary]")?.focus();

// A button that serves only once something is chosen.
for (const form of document.querySelectorAll("form[data-waits-for-a-choice]")) {
  const follow = () => { form.querySelector("[type=submit]").disabled = !form.querySelector("[type=radio]:checked"); };
  form.addEventListener("change", follow);
  follow();
}

// A list that answers as soon as its length is chosen.
for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// A dialog opened from another one: when both are gone, one is back at the link that opened the first.
let opener = null;
document.addEventListener("click", (event) => {
  const link = event.target.closest("[aria-controls][data-fr-opened]");
  if (link && !link.closest("dialog")) opener = link;
});
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("dsfr.conceal", () => setTimeout(() => {
    const focused = document.activeElement;
    const isLost = focused === document.body || focused.closest("dialog") !== null;
    if (isLost && !document.querySelector("dialog[open]")) opener?.focus();
  }, 300));
}

// In a dialog Tab goes where the browser leads, and the design system turns it round at both ends. By itself that would
// count the radio buttons of the whole page by name: between two dialogs with the same question, most fields were lost.
document.addEventListener("keydown", (event) => {
  const dialog = event.key === "Tab" && event.target.closest("dialog[open]");
  if (!dialog) return;
  const fields = [...dialog.querySelectorAll("a[href], button, input, select, textarea, [tabindex]")];
  const reachable = fields.filter((one) => !one.disabled && one.tabIndex >= 0 && one.getClientRects().length > 0);
  if (event.target !== reachable.at(event.shiftKey ? 0 : -1)) event.stopPropagation();
}, { capture: true });

// A link that opens a dialog of this page does not also lead to the page that replaces it without script.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[aria-controls][data-fr-opened]");
  if (link && document.getElementById(link.getAttribute("aria-controls"))) event.preventDefault();
});

// A button that prints the page, where a browser can.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// « Copier » copies what stands just before it; a browser that refuses selects it instead.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const shown = button.parentElement.previousElementSibling;
  try {
    await navigator.clipboard.writeText(shown.textContent);
    button.firstChild.textContent = "Copié\u00a0:";
  } catch {
    getSelection().selectAllChildren(shown);
  }
});

// Who signs out leaves nothing of what they were typing in this tab (autosave.js).
for (const form of document.querySelectorAll("form[data-signs-out]")) {
  form.addEventListener("submit", () => { try { sessionStorage.clear(); } catch { /* storage refused: nothing is in it */ } });
}
