/* The sidebar: beside the page where there is room, else a drawer above it. */

import { current, set } from "../settings.js";

const side = document.getElementById("side");
const skip = document.querySelector(".skip");
const page = document.getElementById("page");
const scrim = document.getElementById("scrim");
const opener = document.getElementById("open-side");
const wide = matchMedia("(min-width: 56rem)");

let drawer = false;

/** Begin to listen. */
export function begin() {
  opener.addEventListener("click", () => open());
  document.getElementById("close-side").addEventListener("click", close);
  scrim.addEventListener("click", close);
  side.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || wide.matches || event.defaultPrevented) return;
    event.preventDefault();
    close();
  });
  wide.addEventListener("change", () => {
    drawer = false;
    draw();
  });
  draw();
}

/** Open it, with the focus in it. */
export function open(focus = document.getElementById("close-side")) {
  if (wide.matches) set({ sidebar: true });
  else drawer = true;
  draw();
  focus.focus();
}

/** Close it; the focus goes to what opens it again. */
export function close() {
  if (wide.matches) set({ sidebar: false });
  drawer = false;
  draw();
  opener.focus();
}

/** Close the drawer, if it is one, because the visitor has chosen. */
export function chosen() {
  if (!drawer) return;
  const held = side.contains(document.activeElement);
  drawer = false;
  draw();
  if (held) opener.focus();
}

function draw() {
  const shown = wide.matches ? current().sidebar : drawer;
  side.hidden = !shown;
  page.inert = skip.inert = drawer;
  scrim.hidden = !drawer;
  document.documentElement.classList.toggle("drawer", drawer);
  opener.hidden = shown && wide.matches;
  document.getElementById("new-narrow").hidden = shown && wide.matches;
}
