/* A menu below the button that opens it: arrow keys move, Escape and a click elsewhere close. */

import { make } from "./dom.js";

/** Open a menu of [label, act, class] under a button. */
export function openMenu(opener, items) {
  const menu = make("div", { class: "menu", role: "menu", popover: "auto" },
    ...items.map(([label, act, look]) => make("button", {
      type: "button",
      class: look,
      role: "menuitem",
      tabindex: -1,
      onclick: () => {
        menu.hidePopover();
        opener.focus();
        act();
      },
    }, label)));
  menu.addEventListener("keydown", (event) => move(event, menu, opener));
  menu.addEventListener("toggle", ({ newState }) => {
    if (newState === "open") return;
    if (menu.contains(document.activeElement)) opener.focus();
    opener.setAttribute("aria-expanded", "false");
    menu.remove();
  });
  document.body.append(menu);
  menu.showPopover();
  placeBelow(menu, opener);
  opener.setAttribute("aria-expanded", "true");
  menu.firstElementChild.focus();
}

function move(event, menu, opener) {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const to = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at - 1 + items.length) % items.length,
    Home: 0,
    End: items.length - 1,
  }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    items[to].focus();
  } else if (event.key === "Tab") {
    menu.hidePopover();
    opener.focus();
  }
}

function placeBelow(menu, opener) {
  const { left, right, top, bottom } = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const x = left + width <= innerWidth - 8 ? left : right - width;
  const y = bottom + height <= innerHeight - 8 ? bottom + 4 : top - height - 4;
  menu.style.left = `${Math.max(8, x)}px`;
  menu.style.top = `${Math.max(8, y)}px`;
}
