/* A toast leaves by itself unless it is being read, and its code leaves the address. */
{
  const toast = document.querySelector(".toast");
  if (toast) {
    const here = new URL(location.href);
    here.searchParams.delete("done");
    history.replaceState(null, "", here);
    const leave = () => toast.remove();
    let timer = setTimeout(leave, 6000);
    const stay = () => clearTimeout(timer);
    const again = () => { timer = setTimeout(leave, 3000); };
    for (const type of ["mouseenter", "focusin"]) toast.addEventListener(type, stay);
    for (const type of ["mouseleave", "focusout"]) toast.addEventListener(type, again);
    toast.querySelector("button").hidden = false;
    toast.querySelector("button").addEventListener("click", leave);
  }
}
