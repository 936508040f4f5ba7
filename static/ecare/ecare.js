// Small comforts; every page works without them.

// A form that came back in error: its summary is read first.
document.querySelector("[data-error-summary]")?.focus();

// A list that answers as soon as its length is chosen.
for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// A link that opens a dialog of this page does not also lead to the page that replaces it without script.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[aria-controls][data-fr-opened]");
  if (link && document.getElementById(link.getAttribute("aria-controls"))) event.preventDefault();
});
