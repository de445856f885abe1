
"use strict";
const questions = [...document.querySelectorAll(".question")];
const chosen = ["passed", "split", "type"].map((name) => document.getElementById(name));
const words = document.getElementById("words");
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const asked = new Map(questions.map((item) => [item, plain(item.querySelector("summary").textContent)]));

function filter() {
  const wanted = plain(words.value).split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const item of questions) {
    const fits = chosen.every((select) => !select.value || item.dataset[select.id] === select.value)
      && wanted.every((word) => asked.get(item).includes(word));
    item.hidden = !fits;
    shown += fits;
  }
  document.getElementById("count").textContent = `${shown} of ${questions.length} questions`;
  document.getElementById("none").hidden = shown > 0;
}

for (const control of [...chosen, words]) control.addEventListener("input", filter);
for (const select of chosen) select.closest("label").hidden = select.options.length < 2;
document.getElementById("filters").hidden = false;
filter();

// A link to one question opens it.
function openNamed() {
  const named = document.getElementById(location.hash.slice(1));
  if (named instanceof HTMLDetailsElement) {
    named.open = true;
    named.scrollIntoView();
  }
}
addEventListener("hashchange", openNamed);
openNamed();
