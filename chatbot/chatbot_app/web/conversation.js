/* A conversation: a tree of messages, of which one path is shown. Pure: nothing here is changed in
 * place, read from a clock or drawn from chance.
 *
 * conversation: {id, title, named, created, changed, temporary, messages, tip}
 *   title is of the first message until the visitor names it (named); times are milliseconds;
 *   messages are in the order they were added, so a parent comes before its children;
 *   tip is the last message of the path that is shown, null without messages.
 * message: {id, parent, role, content, at} and for an answer how it stands:
 *   growing (it is still written), stopped (by the visitor), error {reason, message, until?},
 *   finish, usage {promptTokens, completionTokens, window}, sent (how many messages the model saw).
 *
 * Messages with the same parent are versions of each other: an edited question, an answer anew.
 */

const TITLE_CHARACTERS = 60;
const POSTED_CHARACTERS = 200_000;
const POSTED_MESSAGES = 1000; /* the server takes no more */
const ILLEGIBLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu; /* would hide or turn round what stands beside */

/** Begin a conversation without a message. */
export function begin({ id, now, temporary = false }) {
  return {
    id, title: "", named: false, created: now, changed: now, temporary, messages: [], tip: null,
  };
}

/** Add a message below its parent and show the path that ends in it. */
export function add(conversation, message, now) {
  const title = conversation.title || (message.role === "user" ? titleOf(message.content) : "");
  return {
    ...conversation,
    title,
    changed: now,
    messages: [...conversation.messages, { ...message, at: now }],
    tip: message.id,
  };
}

/** Change some members of a message; what becomes undefined is taken away. */
export function amend(conversation, id, members, now) {
  const messages = conversation.messages.map((message) =>
    message.id === id ? defined({ ...message, ...members }) : message);
  return { ...conversation, messages, changed: now };
}

function defined(message) {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined));
}

/** Name a conversation; an empty name lets it be called after its first message again. */
export function rename(conversation, name) {
  const title = legible(name).trim();
  const first = conversation.messages.find(({ role }) => role === "user");
  return title
    ? { ...conversation, title, named: true }
    : { ...conversation, title: first ? titleOf(first.content) : "", named: false };
}

/** Find a message. */
export function find(conversation, id) {
  return conversation.messages.find((message) => message.id === id);
}

/** List the messages that are shown, first to last. */
export function path(conversation) {
  return pathTo(conversation, conversation.tip);
}

/** List the messages that lead to this one, and itself. */
export function pathTo(conversation, id) {
  const byId = new Map(conversation.messages.map((message) => [message.id, message]));
  const found = [];
  for (let message = byId.get(id); message; message = byId.get(message.parent)) {
    found.push(message);
  }
  return found.reverse();
}

/** List the versions of a message in the order they were made, itself among them. */
export function versions(conversation, id) {
  const { parent } = find(conversation, id);
  return conversation.messages.filter((message) => message.parent === parent);
}

/** Show the path through this message that was added to last. */
export function choose(conversation, id) {
  let tip = id;
  for (const message of conversation.messages) {
    if (message.parent === tip) tip = newestChild(conversation, tip);
  }
  return { ...conversation, tip };
}

function newestChild(conversation, id) {
  return conversation.messages.findLast(({ parent }) => parent === id).id;
}

/** Choose what is posted of a path: the newest messages with a text; the server trims further. */
export function posted(messages) {
  const chosen = [];
  let size = 0;
  for (const { role, content } of messages.toReversed()) {
    size += content.length;
    if (chosen.length && size > POSTED_CHARACTERS) break;
    if (chosen.length === POSTED_MESSAGES) break;
    if (content.trim()) chosen.push({ role, content });
  }
  return chosen.reverse();
}

/** Find the oldest message of a path that its last answer was written from.
 *
 * Null when the model saw all of them, or when it is not known what it saw.
 */
export function oldestSeen(messages) {
  const index = messages.findLastIndex(({ sent }) => sent);
  if (index < 0) return null;
  const before = messages.slice(0, index).filter(({ content }) => content.trim());
  const { sent } = messages[index];
  return sent < before.length ? before.at(-sent).id : null;
}

/** Take out of a title what is no writing: marks of control, and of overriding direction. */
export function legible(title) {
  return title.replace(ILLEGIBLE, " ");
}

/** Call a conversation after its first message: one line without marks, cut between words. */
export function titleOf(text) {
  const plain = legible(text);
  const line = plain.replace(/[`*_#>~|]+/g, " ").replace(/\s+/g, " ").trim() || plain.trim();
  const characters = Array.from(line);
  if (characters.length <= TITLE_CHARACTERS) return line;
  const cut = characters.slice(0, TITLE_CHARACTERS - 1).join("");
  const word = cut.lastIndexOf(" ");
  return `${(word > TITLE_CHARACTERS / 2 ? cut.slice(0, word) : cut).trimEnd()}…`;
}
