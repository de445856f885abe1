// Citations lead to their evidence. Everything hangs on the document, because the server replaces the inner HTML.
(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const all = (selector) => [...document.querySelectorAll(selector)];

  function showTurn(turn) {
    for (const section of all(".hm-turn-evidence")) section.hidden = section.dataset.turn !== turn;
    for (const section of all(".hm-turn")) section.classList.toggle("is-current", section.id === `turn-${turn}`);
  }

  function showCard(id, link) {
    const card = document.getElementById(id);
    if (!card) return;
    showTurn(card.closest(".hm-turn-evidence").dataset.turn);
    for (const old of all(".is-current")) old.classList.remove("is-current");
    card.classList.add("is-current");
    link.classList.add("is-current");
    card.focus({ preventScroll: true });
    card.scrollIntoView({ behavior: calm, block: "start" });
  }

  async function copy(button) {
    const text = button.parentElement.dataset.markdown;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    if (before === button.dataset.done) return;
    button.textContent = button.dataset.done;
    // Unless the page spoke another language meanwhile.
    setTimeout(() => { if (button.textContent === button.dataset.done) button.textContent = before; }, 1500);
  }

  function download(button) {
    const blob = new Blob([button.parentElement.dataset.markdown], { type: "text/markdown;charset=utf-8" });
    const link = Object.assign(document.createElement("a"), {
      href: URL.createObjectURL(blob), download: "hemeroteca.md",
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("[data-evidence], [data-back], [data-action]");
    if (!target) return;
    event.preventDefault();
    if (target.dataset.evidence) showCard(target.dataset.evidence, target);
    else if (target.dataset.back) {
      const turn = document.getElementById(`turn-${target.dataset.back}`);
      turn?.focus({ preventScroll: true });
      turn?.scrollIntoView({ behavior: calm, block: "start" });
    } else if (target.dataset.action === "copy") copy(target);
    else if (target.dataset.action === "download") download(target);
    else if (target.dataset.action === "evidence") {
      showTurn(target.dataset.turn);
      document.querySelector("#hm-evidence h2")?.scrollIntoView({ behavior: calm, block: "start" });
    }
  });

  // A new question is kept at the top while its answer grows, until the reader scrolls; a finished one is announced.
  const announcer = Object.assign(document.createElement("div"), { className: "hm-hidden" });
  announcer.setAttribute("role", "status");
  let turns = 0;
  let seen = "";
  let following = false;
  for (const move of ["wheel", "touchmove"]) document.addEventListener(move, () => { following = false; }, { passive: true });
  new MutationObserver(() => {
    if (document.body && !announcer.isConnected) document.body.append(announcer);
    const all = document.querySelectorAll("#hm-log .hm-turn");
    const last = all[all.length - 1];
    const now = last ? `${last.id} ${last.dataset.status} ${last.textContent.length}` : "";
    if (now === seen) return;
    seen = now;
    if (all.length > turns) {
      following = true;
      document.getElementById("hm-proof").scrollTop = 0;
    }
    turns = all.length;
    if (!last) return;
    if (following) last.scrollIntoView({ behavior: calm, block: "start" });
    if (last.dataset.status !== "partial") {
      following = false;
      announcer.textContent = [...last.querySelectorAll(".hm-status, .hm-text, .hm-reason, .hm-failure")]
        .map((part) => part.textContent).join(" ");
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
