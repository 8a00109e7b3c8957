/* Markdown of a model, as DOM nodes: no HTML is ever parsed, so none can be injected. */

import { lay } from "./markdown/lay.js";
import { parts } from "./markdown/parts.js";
import { NOTHING, read } from "./markdown/read.js";

const SHARE = 4; /* at most a quarter of the time goes into showing an answer that grows */

const shown = new WeakMap();

/**
 * Show `text` in `container`, touching only what changed since the last time.
 *
 * While an answer is `growing` its end is taken for unfinished: a fence without an end is code, a
 * head without a rule is a table, and nothing of it is coloured. A text that takes long to show
 * is shown less often; the call without `growing` always shows all of it at once.
 */
export function show(container, text, { growing = false } = {}) {
  const last = shown.get(container) ?? { reading: NOTHING, due: 0 };
  const began = performance.now();
  clearTimeout(last.later);
  if (growing && began < last.due) {
    last.later = setTimeout(() => show(container, text, { growing }), last.due - began);
    return;
  }
  const reading = read(text, last.reading, growing);
  lay(container, parts(reading.tokens), { afresh: reading.links !== last.reading.links });
  const now = performance.now();
  shown.set(container, { reading, due: now + (SHARE - 1) * (now - began) });
}
