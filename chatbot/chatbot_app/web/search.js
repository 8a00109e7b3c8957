/* Searching in conversations. Pure. */

const BEFORE = 16;
const AFTER = 72;

/** Prepare a question: its words, in lower case; all of them must be found. */
export function wordsOf(query) {
  return query.toLowerCase().split(/\s+/).filter(Boolean);
}

/** Look for words in the title and all messages of a conversation.
 *
 * Return its {id, title, changed} and a snippet [before, found, after] of the message that has
 * most of them (null: only the title has them), or null if a word is missing.
 */
export function look(conversation, words) {
  const { id, title, changed, messages } = conversation;
  const texts = messages.map(({ content }) => content.toLowerCase());
  const heading = title.toLowerCase();
  const everywhere = words.every((word) =>
    heading.includes(word) || texts.some((text) => text.includes(word)));
  if (!everywhere) return null;
  const counts = texts.map((text) => words.filter((word) => text.includes(word)).length);
  const most = Math.max(0, ...counts);
  const best = messages[counts.indexOf(most)];
  return { id, title, changed, snippet: most ? snippet(best.content, words) : null };
}

function snippet(content, words) {
  const text = content.replace(/\s+/g, " ");
  const lower = text.toLowerCase();
  // A letter whose lower case is longer (İ) moves what follows: then nothing is marked.
  const found = words.filter((each) => lower.includes(each)).sort((a, b) => b.length - a.length);
  const [word] = lower.length === text.length ? found : [];
  if (!word) return [text.slice(0, BEFORE + AFTER), "", ""];
  const at = lower.indexOf(word);
  const from = Math.max(0, at - BEFORE);
  const before = `${from ? "…" : ""}${text.slice(from, at)}`;
  return [before, text.slice(at, at + word.length), text.slice(at + word.length, at + AFTER)];
}
