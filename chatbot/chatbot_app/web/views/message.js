/* One message of the thread, and what can be done with it. */

import { show } from "../markdown.js";
import { strings } from "../strings.js";
import { button, copy, iconButton, make, unseen } from "./dom.js";

/** What a button says after copying. */
export const COPYING = { done: strings.copied, refused: strings.copyRefused };

/** Show a message.
 *
 * `place` is {ids, index} among its versions; `hands` does what the visitor asks for: edit(id, text),
 * again(id), retry(id), choose(id, turn).
 */
export function messageView(message, place, hands) {
  const node = make("li", { class: message.role, "data-message": message.id });
  if (message.role === "user") {
    node.append(...question(message, place, hands));
  } else {
    node.append(unseen(strings.answer), make("div", { class: "answer" }));
    redraw(node, message, place, hands);
  }
  return node;
}

/** Show an answer as it is now; its words stay in place, and with them what is selected there. */
export function redraw(node, message, place, hands) {
  const text = node.querySelector(".answer");
  while (text.nextSibling) text.nextSibling.remove();
  show(text, message.content, { growing: message.growing === true });
  node.append(...after(message, place, hands));
}

/** Show more of an answer that grows. */
export function grow(node, content) {
  if (content) node.querySelector(".wait")?.remove();
  show(node.querySelector(".answer"), content, { growing: true });
}

/** Give the words of an answer as they are read. */
export function wordsOf(node) {
  return node.querySelector(".answer").textContent;
}

/* Questions */

function question(message, place, hands) {
  const bubble = make("div", { class: "bubble" }, unseen(strings.you), message.content);
  const edit = () => bubble.parentNode.replaceChildren(editor(message, place, hands));
  const copyIt = ({ currentTarget }) => copy(currentTarget, message.content, COPYING);
  const actions = make("div", { class: "actions" },
    iconButton("copy", strings.copyMessage, copyIt),
    iconButton("edit", strings.edit, edit, { "data-edit": "" }),
    turning(place, hands));
  return [bubble, actions];
}

function editor(message, place, hands) {
  const field = make("textarea", { "aria-label": strings.editing, rows: 1 });
  field.value = message.content;
  const cancel = (event) => {
    event.preventDefault();
    const node = form.parentNode;
    node.replaceChildren(...question(message, place, hands));
    node.querySelector("[data-edit]").focus();
  };
  const send = (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (text) hands.edit(message.id, text);
  };
  const form = make("form", { class: "editor", onsubmit: send }, field,
    make("div", {},
      button(strings.cancel, cancel),
      make("button", { type: "submit", class: "loud" }, strings.send)));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") cancel(event);
    if (event.key === "Enter" && !event.shiftKey) send(event);
  });
  queueMicrotask(() => {
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  });
  return form;
}

/* Answers */

function after(message, place, hands) {
  if (message.growing) return message.content ? [] : [waiting()];
  if (!message.error) return [below(message, place, hands)];
  const failed = failure(message, hands);
  const more = message.content || place.ids.length > 1;
  return more ? [failed, below(message, place, hands)] : [failed];
}

function waiting() {
  return make("div", { class: "wait" }, make("i"), make("i"), make("i"));
}

function below(message, place, hands) {
  const notes = [];
  if (message.stopped) notes.push(strings.stopped);
  if (message.finish === "length") notes.push(strings.lengthLimit);
  const copying = message.content && iconButton("copy", strings.copyAnswer,
    ({ currentTarget }) => copy(currentTarget, message.content, COPYING));
  const again = message.error ? null : iconButton("again", strings.again, () => hands.again(message.id));
  return make("div", { class: "actions" }, copying || null, again, turning(place, hands), notes.join(" "));
}

function failure(message, hands) {
  const retry = button(strings.retry, () => hands.retry(message.id), { class: "" });
  countDown(retry, message.error.until);
  return make("div", { class: "error" }, make("p", {}, message.error.message), retry);
}

function countDown(retry, until = 0) {
  const left = Math.ceil((until - Date.now()) / 1000);
  retry.disabled = left > 0;
  retry.textContent = left > 0 ? strings.retryIn(left) : strings.retry;
  if (left > 0) setTimeout(() => countDown(retry, until), 500);
}

/* Versions */

function turning({ ids, index }, hands) {
  if (ids.length < 2) return null;
  const turn = (name, label, to) => iconButton(name, label, () => hands.choose(ids[to], name), {
    "data-turn": name,
    disabled: ids[to] === undefined,
  });
  return make("div", { class: "versions", role: "group", "aria-label": strings.versions },
    turn("older", strings.older, index - 1),
    make("span", {}, strings.version(index + 1, ids.length)),
    turn("newer", strings.newer, index + 1));
}
