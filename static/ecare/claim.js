// Keeps the dossier in the agent's hand while its page is being read; says so when a colleague took it over.
const EVERY = 5 * 60 * 1000;
const place = document.querySelector("[data-claim]");

if (place) {
  const token = place.querySelector('input[name="csrfmiddlewaretoken"]').value;
  const timer = setInterval(async () => {
    if (document.visibilityState !== "visible") return;
    let answer;
    try {
      answer = await fetch(place.dataset.claim, {
        method: "POST",
        headers: { Accept: "application/json", "X-CSRFToken": token },
        redirect: "error",
      });
    } catch {
      return; // the next time; what the page says ends by itself
    }
    const told = await answer.json();
    if (answer.ok) {
      place.querySelector("[data-claim-until]").textContent = told.until;
    } else {
      clearInterval(timer);
      place.querySelector("[role=status]").textContent = told.message;
    }
  }, EVERY);
}
