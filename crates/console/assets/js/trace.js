/* The list of a session that records: asked for again while the page is looked at. */
{
  const list = document.querySelector("[data-poll]");
  const live = document.getElementById("live");
  const often = 2000;
  let known = list?.querySelectorAll("tbody tr").length ?? 0;
  const look = async () => {
    if (document.visibilityState === "visible") {
      const answer = await fetch(list.dataset.poll).catch(() => null);
      if (answer?.redirected) { location.reload(); return; }
      if (answer?.ok) {
        const text = await answer.text();
        const now = document.createElement("template");
        now.innerHTML = text;
        const count = now.content.querySelectorAll("tbody tr").length;
        const focused = document.activeElement?.closest("[data-poll]") ? document.activeElement.getAttribute("href") : null;
        if (count !== known) {
          const picked = [...list.querySelectorAll("[name=pick]:checked")].map((one) => one.value);
          list.replaceChildren(now.content);
          list.querySelectorAll("[name=pick]").forEach((one) => { one.checked = picked.includes(one.value); });
          list.dispatchEvent(new Event("change", { bubbles: true }));
          if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
          if (live) live.textContent = `${count} transactions`;
          known = count;
        }
        if (answer.headers.get("x-recording") === "false") { location.reload(); return; }
      }
    }
    setTimeout(look, often);
  };
  if (list) setTimeout(look, often);
}
/* Two can be compared: the button says how many are missing. */
{
  const say = () => {
    for (const form of document.querySelectorAll("[data-picks]")) {
      const chosen = form.querySelectorAll("[name=pick]:checked").length;
      form.querySelector(".form-foot button").disabled = chosen !== 2;
    }
  };
  document.addEventListener("change", say);
  addEventListener("pageshow", say);
  say();
}
/* Arrow keys go from step to step. */
{
  const steps = [...document.querySelectorAll(".trace-step > summary")];
  document.addEventListener("keydown", (event) => {
    const at = steps.indexOf(document.activeElement);
    const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (at < 0 || !by) return;
    event.preventDefault();
    steps[Math.min(Math.max(at + by, 0), steps.length - 1)].focus();
  });
  const all = document.querySelector("[data-open-all]");
  if (all) {
    all.hidden = false;
    all.addEventListener("click", () => {
      const open = all.getAttribute("aria-pressed") !== "true";
      document.querySelectorAll(".trace-step").forEach((step) => { step.open = open; });
      all.setAttribute("aria-pressed", String(open));
    });
  }
}
