/* A short word at the edge of the page, perhaps with a way back. */

import { strings } from "../strings.js";
import { button, iconButton, make } from "./dom.js";

const SHOWN = 20_000;
const place = document.getElementById("toast");

let current = null;

/** Say something; `act` is a [label, action] that can be taken back to it. */
export function toast(text, act = null) {
  const [label, action] = act ?? [];
  const acting = act && button(label, () => {
    hide(node);
    action();
  }, { class: "loud" });
  const node = make("div", { class: "toast" }, make("span", {}, text), acting,
    iconButton("close", strings.dismiss, () => hide(node)));
  current?.remove();
  current = node;
  place.append(node);
  acting?.focus();
  later(node);
}

/** A word stays for as long as somebody points at it or has the focus in it. */
function later(node) {
  setTimeout(() => {
    if (node.matches(":hover, :focus-within")) later(node);
    else hide(node);
  }, SHOWN);
}

function hide(node) {
  const focused = node.contains(document.activeElement);
  node.remove();
  if (focused) document.getElementById("text").focus();
}
