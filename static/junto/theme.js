// Pins the theme a person chose before the first paint, so that nothing flashes. Loaded without defer, on purpose.
(() => {
  try {
    const theme = localStorage.getItem("junto.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be closed to us: then the system decides.
  }
})();
