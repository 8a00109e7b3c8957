/* Talking: questions go out, answers grow. Every answer lands in its own conversation, whichever one
 * is shown meanwhile; in one conversation one answer grows at a time.
 */

import { ask } from "./answers.js";
import { add, amend, find, pathTo, posted } from "./conversation.js";
import { strings } from "./strings.js";
import { holding, released } from "./tabs.js";

const KEPT_EVERY = 1000;
const LONGEST_WAIT = 600;

/** Talk by way of a store.
 *
 * `newId` makes ids and `now` gives milliseconds. Then follow who is told: `began(conversation)`,
 * `grew(id, answer)` with an answer as `growing` gives it, `ended(conversation, message)`,
 * `settled(conversation)`, and `gone(id)` where there is no such conversation any longer.
 */
export class Talk {
  #store;
  #newId;
  #now;
  #told;
  #running = new Map();
  #awaited = new Set();

  constructor(store, { newId, now, ...told }) {
    this.#store = store;
    this.#newId = newId;
    this.#now = now;
    this.#told = told;
  }

  /** Give {id, content} of the answer that grows in a conversation, or undefined. */
  growing(conversationId) {
    return this.#running.get(conversationId);
  }

  /** Say something after a message (null: as the first one), and let it be answered. */
  say(conversation, parent, content) {
    const question = { id: this.#newId(), parent, role: "user", content };
    return this.#answer(conversation, question.id, { question });
  }

  /** Have a message answered anew; the answer that was there stays as another version. */
  again(conversation, answerId) {
    return this.#answer(conversation, find(conversation, answerId).parent, {});
  }

  /** Try an answer that failed again; one of which nothing had arrived makes way. */
  retry(conversation, answerId) {
    const { parent, content } = find(conversation, answerId);
    return this.#answer(conversation, parent, content ? {} : { instead: answerId });
  }

  /** Stop the answer that grows in a conversation, here and upstream, and keep what is there. */
  async stop(conversationId) {
    const run = this.#running.get(conversationId);
    run?.controller.abort();
    await run?.done;
  }

  /** Stop all answers. */
  async stopAll() {
    await Promise.all([...this.#running.keys()].map((id) => this.stop(id)));
  }

  /** Keep what has grown so far: the page may be gone soon. */
  keepAll() {
    for (const [id, run] of this.#running) this.#keep(id, run);
  }

  /** Settle answers that no page writes any longer; one that another tab writes, when it ends. */
  settle(conversation) {
    const mine = this.#running.get(conversation.id)?.id;
    for (const { id, growing } of conversation.messages) {
      if (growing && id !== mine && !this.#awaited.has(id)) this.#settle(conversation.id, id);
    }
  }

  async #settle(conversationId, id) {
    this.#awaited.add(id);
    await released(id);
    this.#awaited.delete(id);
    const settled = await this.#store.change(conversationId, (conversation) => {
      if (!find(conversation, id)?.growing) return conversation;
      const error = { reason: "Closed", message: strings.errors.closed };
      return amend(conversation, id, { growing: undefined, error }, conversation.changed);
    });
    if (settled) this.#told.settled(settled);
  }

  async #answer(conversation, parent, { question, instead }) {
    if (this.#running.has(conversation.id)) return;
    const controller = new AbortController();
    const run = { id: instead ?? this.#newId(), content: "", controller, kept: this.#now() };
    this.#running.set(conversation.id, run);
    run.done = holding(run.id, async () => {
      const begun = await this.#begin(conversation, run.id, parent, question);
      if (!begun) return this.#told.gone(conversation.id);
      this.#told.began(begun);
      await this.#grow(begun, run, posted(pathTo(begun, parent)));
    });
    await run.done;
    this.#running.delete(conversation.id);
  }

  #begin(conversation, id, parent, question) {
    const now = this.#now();
    const begin = (stored) => {
      const asked = question ? add(stored, question, now) : stored;
      if (find(asked, id)) return amend(asked, id, { growing: true, error: undefined }, now);
      const answer = { id, parent, role: "assistant", content: "", growing: true };
      return add(asked, answer, now);
    };
    return conversation.messages.length
      ? this.#store.change(conversation.id, begin)
      : this.#store.put(begin(conversation));
  }

  async #grow({ id }, run, messages) {
    const ending = { growing: undefined };
    try {
      for await (const { name, data } of ask(messages, run.controller.signal)) {
        if (name === "delta") this.#hear(id, run, data.text);
        else Object.assign(ending, heard(name, data, this.#now()));
      }
    } catch (error) {
      if (!run.controller.signal.aborted) throw error;
      ending.stopped = true;
    }
    const ended = await this.#store.change(id, (conversation) =>
      amend(conversation, run.id, { ...ending, content: run.content }, this.#now()));
    this.#running.delete(id);
    if (ended) this.#told.ended(ended, find(ended, run.id));
  }

  #hear(id, run, text) {
    const first = !run.content;
    run.content += text;
    this.#told.grew(id, run);
    if (first || this.#now() - run.kept >= KEPT_EVERY) this.#keep(id, run);
  }

  async #keep(id, run) {
    run.kept = this.#now();
    const { content } = run;
    const kept = await this.#store.change(id, (conversation) =>
      amend(conversation, run.id, { content }, conversation.changed));
    if (!kept) run.controller.abort();
  }
}

/** Take from an event what is kept with an answer. */
function heard(name, data, now) {
  switch (name) {
    case "usage": {
      const { promptTokens, completionTokens, window = null } = data;
      return { usage: { promptTokens, completionTokens, window } };
    }
    case "error": {
      const { reason, message, retryAfter } = data;
      const waits = retryAfter > 0 && retryAfter <= LONGEST_WAIT;
      return { error: { reason, message, ...(waits && { until: now + retryAfter * 1000 }) } };
    }
    case "done":
      return { finish: data.finish, sent: data.sent };
    default:
      return {};
  }
}
