/* Ctrl-K: the search page as a dialog. */
{
  const dialog = document.getElementById("palette");
  const input = dialog?.querySelector("input");
  const found = dialog?.querySelector(".found");
  let asked = 0;
  const look = async () => {
    const turn = ++asked;
    const answer = await fetch(`/console/search?fragment=1&q=${encodeURIComponent(input.value)}`);
    if (!answer.ok || answer.redirected) { location.href = "/console/search"; return; }
    const text = await answer.text();
    if (turn !== asked) return;
    found.innerHTML = text;
    found.querySelector("a")?.setAttribute("data-chosen", "");
  };
  const open = () => { input.value = ""; dialog.showModal(); input.focus(); look(); };
  const move = (by) => {
    const links = [...found.querySelectorAll("a")];
    const now = links.findIndex((link) => link.hasAttribute("data-chosen"));
    const next = links[(now + by + links.length) % links.length];
    links[now]?.removeAttribute("data-chosen");
    next?.setAttribute("data-chosen", "");
    next?.scrollIntoView({ block: "nearest" });
  };
  if (dialog) {
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        if (dialog.open) dialog.close(); else open();
      }
    });
    document.querySelectorAll("[data-palette]").forEach((link) => link.addEventListener("click", (event) => {
      event.preventDefault();
      open();
    }));
    let pause;
    input.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(look, 120); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") { event.preventDefault(); move(1); }
      if (event.key === "ArrowUp") { event.preventDefault(); move(-1); }
      if (event.key === "Enter") { event.preventDefault(); found.querySelector("[data-chosen]")?.click(); }
    });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  }
}
