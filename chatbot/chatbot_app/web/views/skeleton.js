/* What index.html leaves open: its words and icons. */

import { strings } from "../strings.js";
import { icon } from "./dom.js";

const ATTRIBUTES = { label: "aria-label", title: "title", hint: "placeholder" };

/** Fill in every `data-text`, `data-label`, `data-title`, `data-hint` and `data-icon`. */
export function fill() {
  for (const node of document.querySelectorAll("[data-icon]")) node.prepend(icon(node.dataset.icon));
  for (const node of document.querySelectorAll("[data-text]")) node.append(strings[node.dataset.text]);
  for (const [key, attribute] of Object.entries(ATTRIBUTES)) {
    for (const node of document.querySelectorAll(`[data-${key}]`)) {
      node.setAttribute(attribute, strings[node.dataset[key]]);
    }
  }
}
