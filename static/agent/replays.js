// A replay under way: its progress is read again every few seconds, and the whole page once it is over.
(() => {
  const EVERY = 2000;
  const box = () => document.getElementById("progress");

  async function look() {
    if (!box()?.hasAttribute("data-live")) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("progress");
        if (fresh && !fresh.hasAttribute("data-live")) {
          location.reload();
          return;
        }
        if (fresh && !box().contains(document.activeElement)) box().replaceChildren(...fresh.childNodes);
      }
    } catch {
      // the server is away for a moment: the next look finds it
    }
    setTimeout(look, EVERY);
  }

  setTimeout(look, EVERY);
})();
