/* The memory of the conversation: this browser's, for this address, and nobody else's.
 *
 * A message is {role, content} and, for an answer, how it ended: {stopped?, note?, error?}.
 */

const KEY = `chatbot:${location.pathname}`;
const POSTED_CHARACTERS = 200_000;

/** Read the conversation and the one before it. */
export function recall() {
  try {
    const { messages = [], previous = [] } = JSON.parse(localStorage.getItem(KEY)) ?? {};
    return { messages, previous };
  } catch {
    return { messages: [], previous: [] };
  }
}

/** Keep them; without storage (private windows, a full disk) they last as long as the page. */
export function keep({ messages, previous }) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ messages, previous }));
  } catch {
    /* the page goes on without */
  }
}

/** Call `listener` when another tab of this browser changed the conversation. */
export function onChange(listener) {
  addEventListener("storage", (event) => event.key === KEY && listener());
}

/** Choose what is posted: the newest messages that have a text; the server trims to the model. */
export function posted(messages) {
  const chosen = [];
  let size = 0;
  for (const { role, content } of messages.toReversed()) {
    size += content.length;
    if (chosen.length && size > POSTED_CHARACTERS) break;
    if (content.trim()) chosen.push({ role, content });
  }
  return chosen.reverse();
}
