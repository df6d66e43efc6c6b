// Runs before the first paint, so that a dark page never flashes white. Kept out of index.html because the page's
// content security policy allows no inline script.
(function () {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  function apply() {
    let chosen = null;
    try {
      chosen = window.localStorage.getItem('apportion-theme');
    } catch {
      // Storage may be switched off; the system's choice stands.
      chosen = null;
    }
    const theme = chosen === 'dark' || chosen === 'light' ? chosen : dark.matches ? 'dark' : 'light';
    document.documentElement.dataset.theme = theme;
  }
  apply();
  dark.addEventListener('change', apply);
  window.addEventListener('apportion-theme', apply);
})();
