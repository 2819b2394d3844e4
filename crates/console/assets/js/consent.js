/* The vendor's consent page in a window of its own. A channel of our origin brings the result back, because
   a vendor's page may cut the tie between the two windows. Without a window, the same goes by redirect. */
{
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("pierhead-consent") : null;
  const form = document.querySelector("form[data-consent]");
  if (form && channel) {
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      const popup = window.open("", "pierhead-consent", "popup,width=560,height=720");
      if (popup) form.target = "pierhead-consent";
      document.querySelectorAll("[data-waiting]").forEach((note) => { note.hidden = !popup; });
    });
    channel.addEventListener("message", ({ data }) => {
      if (typeof data === "string" && data.startsWith("/console/instances/")) location.href = data;
    });
  }
  const done = document.querySelector("[data-consent-done]");
  if (done && channel && window.name === "pierhead-consent") {
    channel.postMessage(done.dataset.consentDone);
    setTimeout(() => window.close(), 300);
  }
}
