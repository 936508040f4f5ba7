// Another image or question without sending the page, so that passwords stay typed.

const area = document.querySelector("[data-challenge]");

async function renew(kind) {
  const form = area.closest("form");
  const body = new URLSearchParams({ kind, csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
  const response = await fetch(area.dataset.challenge, { method: "POST", body });
  if (!response.ok) throw new Error(response.statusText);
  const challenge = await response.json();
  form.elements.captcha_key.value = challenge.key;
  form.elements.captcha_kind.value = challenge.kind;
  if (challenge.image) area.querySelector("img").src = challenge.image;
  area.querySelector("[data-challenge-question]").textContent = challenge.question;
  area.querySelector("[data-challenge-image]").hidden = challenge.kind === "written";
  area.querySelector("[data-challenge-written]").hidden = challenge.kind !== "written";
  form.elements.captcha.value = "";
  forgetError(form.elements.captcha);
  form.elements.captcha.focus();
}

// What was said of the former image is not true of this one.
function forgetError(answer) {
  document.getElementById(`${answer.id}_error`)?.remove();
  answer.removeAttribute("aria-invalid");
  answer.removeAttribute("aria-describedby");
  answer.closest(".fr-input-group--error")?.classList.remove("fr-input-group--error");
}

area?.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=challenge]");
  if (!button) return;
  event.preventDefault();
  renew(button.value).catch(() => button.form.requestSubmit(button));
});
