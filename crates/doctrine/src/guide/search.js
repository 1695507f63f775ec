"use strict";
(() => {
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const input = document.getElementById("search");
  const count = document.getElementById("count");
  const all = [...document.querySelectorAll(".requirement")].map((element) => ({ element, text: plain(element.textContent) }));
  const show = () => {
    const words = plain(input.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { element, text } of all) {
      element.hidden = !words.every((word) => text.includes(word));
      shown += element.hidden ? 0 : 1;
    }
    for (const fiche of document.querySelectorAll(".fiche")) {
      fiche.hidden = !fiche.querySelector(".requirement:not([hidden])");
    }
    count.textContent = `${shown} ${count.dataset.words}`;
  };
  input.addEventListener("input", show);
  show();
})();
