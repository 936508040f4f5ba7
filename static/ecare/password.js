// The rules of a new password, ticked as it is typed. The server judges: by the same rules as when the form is sent.

const PAUSE = 400; // milliseconds without a key
const NAMED = ["csrfmiddlewaretoken", "username", "last_name", "first_name", "email"];

function follow(box) {
  const field = document.getElementById(box.dataset.of);
  const lines = [...box.querySelectorAll("[data-rule]")];
  const verdict = box.querySelector("[data-verdict]");
  let timer;
  let asked = 0;

  function show(rules, sentence) {
    lines.forEach((line, place) => {
      const isMet = rules[place]?.is_met;
      line.classList.toggle("ecare-password-rules__met", isMet === true);
      line.querySelector("[data-met]").textContent = (isMet ?? null) === null ? "" : isMet ? " (respecté)" : " (pas encore)";
    });
    verdict.textContent = sentence;
  }

  async function judge() {
    asked += 1;
    const rank = asked;
    if (field.value === "") return show([], "");
    const data = new URLSearchParams({ password1: field.value });
    for (const name of NAMED) if (field.form.elements[name]) data.append(name, field.form.elements[name].value);
    const response = await fetch(box.dataset.passwordRules, { method: "POST", body: data }).catch(() => null);
    const answer = response?.ok ? await response.json() : { rules: [], verdict: "" }; // once sent, the form says it
    if (rank === asked) show(answer.rules, answer.verdict);
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(judge, PAUSE);
  });
}

document.querySelectorAll("[data-password-rules]").forEach(follow);
