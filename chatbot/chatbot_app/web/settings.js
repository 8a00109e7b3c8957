/* The visitor's settings, in localStorage: the look of the page, never a word of a conversation. */

const KEY = `chatbot-settings:${location.pathname}`;
const DEFAULTS = { theme: "auto", sidebar: true, questionMark: true };

let settings = read();

/** Give the settings: {theme: "auto" | "light" | "dark", sidebar, questionMark}. */
export function current() {
  return settings;
}

/** Change some; where the browser stores nothing they last as long as the page. */
export function set(members) {
  settings = { ...settings, ...members };
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    /* refused or full */
  }
  dress();
}

/** Use the theme, and follow changes that other tabs make. */
export function begin() {
  dress();
  addEventListener("storage", ({ key }) => {
    if (key !== KEY) return;
    settings = read();
    dress();
  });
}

function read() {
  try {
    const { theme, sidebar, questionMark } = JSON.parse(localStorage.getItem(KEY)) ?? {};
    return {
      theme: theme === "light" || theme === "dark" ? theme : DEFAULTS.theme,
      sidebar: sidebar ?? DEFAULTS.sidebar,
      questionMark: questionMark ?? DEFAULTS.questionMark,
    };
  } catch {
    return DEFAULTS;
  }
}

function dress() {
  document.documentElement.dataset.theme = settings.theme;
}
