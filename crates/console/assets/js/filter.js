/* Filters the rows of a list while one types; Enter asks the server, which knows the other pages too. */
{
  for (const input of document.querySelectorAll("input[data-filters]")) {
    const rows = [...document.querySelectorAll(`#${input.dataset.filters} [data-text]`)];
    const none = document.querySelector(`[data-none-of="${input.dataset.filters}"]`);
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        row.hidden = !words.every((word) => row.dataset.text.toLowerCase().includes(word));
        shown += row.hidden ? 0 : 1;
      }
      if (none) none.hidden = shown > 0;
    });
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const input = document.querySelector("input[data-filters]");
    if (event.key === "/" && !typing && input) { event.preventDefault(); input.focus(); }
  });
}
