/* What an empty conversation shows: the team's greeting and questions to begin with. */

import { strings } from "../strings.js";
import { button, make } from "./dom.js";

const $ = (id) => document.getElementById(id);

/** Show the team's words, as far as it has given any; `say` is called with a chosen question. */
export function greet({ title, welcome, starters = [], disclaimer, demo = false }, say) {
  $("demo").hidden = !demo;
  $("title").textContent = title || strings.untitled;
  $("greeting").textContent = welcome || strings.greeting;
  $("disclaimer").textContent = disclaimer || strings.disclaimer;
  $("starters").replaceChildren(...starters.map((question) =>
    make("li", {}, button(question, () => say(question)))));
}

/** Say that the chatbot does not answer; `retry` is called when the visitor wants to try again. */
export function unreachable(retry) {
  $("welcome").hidden = false;
  $("title").textContent = strings.untitled;
  $("greeting").textContent = strings.errors.unreachable;
  const again = button(strings.retry, retry, { class: "loud" });
  $("starters").replaceChildren(make("li", {}, again));
}

/** Show the greeting or not; a temporary chat says what it is. */
export function draw({ empty, temporary }) {
  $("welcome").hidden = !empty;
  $("kept").textContent = temporary ? strings.temporaryOn : strings.remembered;
  $("temporary").hidden = !empty && !temporary;
  $("temporary").disabled = !empty;
  $("temporary").setAttribute("aria-pressed", temporary);
  document.documentElement.classList.toggle("temporary", temporary);
}
