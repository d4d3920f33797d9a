// Loaded before anything is painted, so that a dark page never flashes light.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    // Storage may be switched off: the system's preference decides.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = ["light", "dark"].includes(chosen)
    ? chosen
    : dark
      ? "dark"
      : "light";
})();
