/* The look that was chosen, before anything is painted; `settings.js` follows later changes.
 *
 * Not a module: a module would run after the first paint, in the other look.
 */

try {
  const { theme } = JSON.parse(localStorage.getItem(`chatbot-settings:${location.pathname}`)) ?? {};
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  /* the browser's own look */
}
