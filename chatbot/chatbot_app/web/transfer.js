/* Conversations as files: JSON to keep and bring back, Markdown to read. Pure.
 *
 * Nothing of a file is trusted: only known members of the right kind are taken, and what does not
 * hold together is refused as a whole.
 */

import { legible, path, titleOf } from "./conversation.js";

const FORMAT = "chatbot-conversations";
const VERSION = 1;
const MOST = { conversations: 10_000, messages: 10_000, characters: 1_000_000, title: 200 };
const ID = /^[A-Za-z0-9-]{1,64}$/;

/** A file that holds no conversations of ours; its message names a string in `strings.js`. */
export class UnreadableError extends Error {}

/** Write conversations as a file that `parse` reads. */
export function toJson(conversations) {
  const kept = conversations.map(({ temporary, ...conversation }) => ({
    ...conversation,
    messages: conversation.messages.map(settled),
  }));
  return `${JSON.stringify({ format: FORMAT, version: VERSION, conversations: kept }, null, 2)}\n`;
}

function settled({ growing, ...message }) {
  return growing ? { ...message, stopped: true } : message;
}

/** Write what is shown of a conversation, for people. */
export function toMarkdown(conversation, names) {
  const parts = [`# ${conversation.title}`];
  for (const { role, content, stopped } of path(conversation)) {
    if (!content.trim()) continue;
    parts.push(`## ${names[role]}`, content.trim());
    if (stopped) parts.push(`*${names.stopped}*`);
  }
  return `${parts.join("\n\n")}\n`;
}

/** Write several, one after the other. */
export function allToMarkdown(conversations, names) {
  return conversations.map((each) => toMarkdown(each, names)).join("\n---\n\n");
}

/** Name a file after a title: letters and digits of any script, no path, never hidden. */
export function fileName(title, extension) {
  const name = title.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  return `${Array.from(name).slice(0, 60).join("") || "conversation"}.${extension}`;
}

/** Read a file that `toJson` wrote, or anyone.
 *
 * Throws an UnreadableError ("notJson", "notOurs", "tooNew", "broken").
 */
export function parse(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw new UnreadableError("notJson");
  }
  if (file?.format !== FORMAT) throw new UnreadableError("notOurs");
  if (file.version !== VERSION) throw new UnreadableError("tooNew");
  const conversations = list(file.conversations, MOST.conversations).map(conversationOf);
  distinct(conversations);
  return conversations;
}

function conversationOf(value) {
  const messages = list(value?.messages, MOST.messages).map(messageOf);
  distinct(messages);
  require(messages.length > 0);
  const seen = new Map([[null, null]]);
  for (const { id, parent, role } of messages) {
    require(seen.has(parent) && seen.get(parent) !== role && (parent !== null || role === "user"));
    seen.set(id, role);
  }
  require(seen.has(value.tip) && value.tip !== null);
  return {
    id: idOf(value.id),
    title: legible(string(value.title, MOST.title)).trim() || titleOf(messages[0].content),
    named: value.named === true,
    created: time(value.created),
    changed: time(value.changed),
    temporary: false,
    messages,
    tip: value.tip,
  };
}

function messageOf(value) {
  const { role, stopped, error, finish, usage, sent } = value ?? {};
  require(role === "user" || role === "assistant");
  const message = {
    id: idOf(value.id),
    parent: value.parent === null ? null : idOf(value.parent),
    role,
    content: string(value.content, MOST.characters),
    at: time(value.at),
  };
  if (role === "user") return message;
  if (stopped === true) message.stopped = true;
  if (error !== undefined) message.error = errorOf(error);
  if (finish !== undefined) message.finish = string(finish, 100);
  if (usage !== undefined) message.usage = usageOf(usage);
  if (sent !== undefined) message.sent = count(sent);
  return message;
}

function errorOf(error) {
  return { reason: string(error?.reason, 100), message: string(error.message, 2000) };
}

function usageOf(usage) {
  const window = usage?.window;
  return {
    promptTokens: count(usage?.promptTokens),
    completionTokens: count(usage.completionTokens),
    window: window === null ? null : count(window),
  };
}

/* Kinds */

function require(holds) {
  if (!holds) throw new UnreadableError("broken");
}

function list(value, most) {
  require(Array.isArray(value) && value.length <= most);
  return value;
}

function string(value, most) {
  require(typeof value === "string" && value.length <= most);
  return value;
}

function idOf(value) {
  require(typeof value === "string" && ID.test(value));
  return value;
}

function count(value) {
  require(Number.isSafeInteger(value) && value >= 0);
  return value;
}

function time(value) {
  require(Number.isFinite(value) && value >= 0 && value <= 8.64e15);
  return value;
}

function distinct(values) {
  require(new Set(values.map(({ id }) => id)).size === values.length);
}
