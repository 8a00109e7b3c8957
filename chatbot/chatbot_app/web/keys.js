/* Keyboard shortcuts. */

import { current } from "./settings.js";

const ABOVE = "dialog[open], :popover-open";

/** Begin to listen: `hands` is {stop, begin, search, sheet}. */
export function listen(hands) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector(ABOVE)) return;
    const act = hands[handOf(event)];
    if (act && act() !== false) event.preventDefault();
  });
}

function handOf(event) {
  const { key, shiftKey, altKey, target } = event;
  const command = (event.ctrlKey || event.metaKey) && !altKey;
  if (key === "Escape") return "stop";
  if (command && shiftKey && key.toLowerCase() === "o") return "begin";
  if (command && !shiftKey && key.toLowerCase() === "k") return "search";
  if (command && key === "/") return "sheet";
  // Without a modifier a key must not act while somebody dictates or types: WCAG 2.2, 2.1.4.
  const writing = target.matches?.("input, textarea, select, [contenteditable]");
  if (key === "?" && !command && !writing && current().questionMark) return "sheet";
  return null;
}
