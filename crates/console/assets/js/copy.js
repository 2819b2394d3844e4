"use strict";
/* Copy buttons: hidden until this runs, so that no dead button is shown. */
{
  const live = document.getElementById("live");
  document.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = !navigator.clipboard; });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.textContent.trim());
    const label = button.querySelector("[data-label]");
    const before = label.textContent;
    label.textContent = "Copied";
    if (live) live.textContent = "Copied to the clipboard";
    setTimeout(() => { label.textContent = before; if (live) live.textContent = ""; }, 1600);
  });
}
