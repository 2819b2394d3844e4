/* Says beside a field what is missing before the form is sent; the server checks the same again. */
{
  const sentence = (field) => {
    const own = field.dataset.error;
    if (field.validity.valueMissing) return own || "This is needed.";
    if (field.validity.patternMismatch) return own || field.title || "This has the wrong form.";
    return field.validationMessage;
  };
  const tell = (field) => {
    const error = document.getElementById(`${field.id}-error`);
    const bad = !field.checkValidity();
    field.setAttribute("aria-invalid", bad ? "true" : "false");
    if (error) error.textContent = bad ? sentence(field) : "";
  };
  for (const form of document.querySelectorAll("form[data-checked]")) {
    form.noValidate = true;
    form.addEventListener("submit", (event) => {
      const bad = [...form.elements].filter((field) => field.id && field.willValidate && !field.checkValidity());
      if (bad.length) {
        event.preventDefault();
        bad.forEach(tell);
        bad[0].focus();
      } else {
        event.submitter?.setAttribute("aria-busy", "true");
      }
    });
    form.addEventListener("focusout", ({ target }) => {
      if (target.id && target.willValidate && (target.value || target.getAttribute("aria-invalid") === "true")) tell(target);
    });
  }
  addEventListener("pageshow", () => {
    document.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  });
  /* Parts of a form that matter for some choices only. Without this script all are shown, and the server
     reads those that matter. */
  for (const part of document.querySelectorAll("[data-when]")) {
    const form = part.closest("form");
    const holds = (condition) => {
      const [name, value] = condition.split("=");
      const chosen = form.querySelector(`[name="${name}"]:checked, select[name="${name}"]`);
      return (chosen?.value ?? "") === value;
    };
    const show = () => { part.hidden = !part.dataset.when.split(",").some(holds); };
    form.addEventListener("change", show);
    show();
  }
}
