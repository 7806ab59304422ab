/** Light or dark: as the system has it, or as the user has chosen, which is kept. */

const key = 'hive.dashboard.theme';
const themes = ['auto', 'light', 'dark'];

/** Storage may be forbidden; then the choice holds until the page is closed. */
function stored() {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function theme() {
  const chosen = stored();
  return themes.includes(chosen) ? chosen : 'auto';
}

export function setTheme(chosen) {
  document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem(key, chosen);
  } catch {
    // See above.
  }
}

// Before the first picture, so that nothing flashes.
document.documentElement.dataset.theme = theme();
