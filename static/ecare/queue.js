// « Tout cocher » in the head of the queue; without script each row is ticked by itself.
(() => {
  const boxes = [...document.querySelectorAll('input[name="dossiers"][form="attribution"]')];
  const head = document.querySelector(".ecare-queue thead th");
  if (!boxes.length || !head) return;

  const all = document.createElement("input");
  all.type = "checkbox";
  all.id = "choix-tous";
  const label = document.createElement("label");
  label.className = "fr-label";
  label.htmlFor = all.id;
  const words = document.createElement("span");
  words.className = "fr-sr-only";
  words.textContent = "Cocher tous les dossiers de la page";
  label.append(words);
  const group = document.createElement("div");
  group.className = "fr-checkbox-group fr-checkbox-group--sm ecare-choice";
  group.append(all, label);
  head.replaceChildren(group);

  const tell = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  for (const box of boxes) box.addEventListener("change", tell);
  tell();
})();
