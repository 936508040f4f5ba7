// The question that the address names is open, also in a browser that does not open it by itself.

function show() {
  const answer = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const question = answer && answer.closest("details");
  if (!question) return;
  question.open = true;
  question.scrollIntoView();
  question.querySelector("summary").focus({ preventScroll: true });
}

addEventListener("hashchange", show);
show();
