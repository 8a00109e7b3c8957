/* The messages that are shown. */

import { oldestSeen, path, versions } from "../conversation.js";
import { strings } from "../strings.js";
import { arrange, copy, make, onceAFrame } from "./dom.js";
import * as follow from "./follow.js";
import { COPYING, grow, messageView, redraw, wordsOf } from "./message.js";

const list = document.getElementById("messages");
const mark = make("li", { class: "mark" }, strings.leftOut);

let shown = new Map();
let growing = null;

const growSoon = onceAFrame(() => {
  const each = growing && shown.get(growing.id);
  if (each?.message.growing) grow(each.node, growing.content);
  follow.keepUp();
});

/** Show the path of a conversation; `run` is what grows in it, `hands` what its buttons do. */
export function draw(conversation, run, hands) {
  const messages = path(conversation);
  const oldest = oldestSeen(messages);
  const next = new Map();
  const nodes = [];
  for (const message of messages) {
    const each = entry(conversation, message, run, hands);
    next.set(message.id, each);
    if (message.id === oldest) nodes.push(mark);
    nodes.push(each.node);
  }
  shown = next;
  arrange(list, nodes);
  growing = run ?? null;
  follow.keepUp();
}

/* A view is kept as long as it would be drawn the same, so focus and open editors stay. While an
 * answer grows, what has been shown of it is ahead of what is stored. */
function entry(conversation, stored, run, hands) {
  const message = stored.id === run?.id ? { ...stored, content: run.content } : stored;
  const ids = versions(conversation, message.id).map(({ id }) => id);
  const source = JSON.stringify([conversation.id, message, ids]);
  const before = shown.get(message.id);
  if (before?.source === source) return before;
  const place = { ids, index: ids.indexOf(message.id) };
  if (before?.message.role !== "assistant") {
    return { source, message, node: messageView(message, place, hands) };
  }
  redraw(before.node, message, place, hands);
  return { source, message, node: before.node };
}

/** Show more of an answer, at the next frame. */
export function growOn(run) {
  growing = run;
  growSoon();
}

/** Give the words of an answer as they are read; undefined if it is not shown. */
export function spoken(id) {
  const each = shown.get(id);
  return each && wordsOf(each.node);
}

list.addEventListener("click", ({ target }) => {
  if (target.dataset?.copy !== "code") return;
  copy(target, target.closest(".code").querySelector("code").textContent, COPYING);
});

/** Keep the focus where versions are turned over. */
export function focusTurn(id, name) {
  const node = shown.get(id)?.node;
  const buttons = [...(node?.querySelectorAll("[data-turn]") ?? [])];
  const same = buttons.find(({ dataset, disabled }) => dataset.turn === name && !disabled);
  (same ?? buttons.find(({ disabled }) => !disabled))?.focus();
}
