/* Markdown read into marked's tokens, so that a growing text costs no more than its end, and no
 * text costs more than it should.
 */

import { Marked } from "../vendor/marked/marked.esm.js";
import { Frugal } from "./frugal.js";
import { displayMath, math } from "./math.js";

const KEPT_OPEN = 3; /* see `settled` */
const TABLE_HEAD = /(?:^|\n)(\|[^\n]*\|[^\n]*)(?:\n[ \t|:-]*)?$/;

/** What has been read before anything was. */
export const NOTHING = { source: "", tokens: [], links: "{}" };

const { defaults } = new Marked({ gfm: true, breaks: true, extensions: [displayMath, math] });

/**
 * Read `text` given what was read `last`; tokens that growing can no longer change stay.
 *
 * `links` tells whether references mean the same as before. Of a text that is `growing`, tokens
 * at the end are `open`: more may come.
 */
export function read(text, last, growing) {
  const source = text.replace(/\r\n?/g, "\n");
  let { tokens, end } = settled(last, source);
  let rest = lexed(source.slice(end));
  if (end && [...last.tokens, ...rest].some(({ type }) => type === "def")) {
    tokens = [];
    rest = lexed(source);
  }
  if (growing) rest = opened(rest);
  return { source, tokens: [...tokens, ...rest], links: JSON.stringify(rest.links ?? {}) };
}

/* A line that is not complete yet may turn out to belong to the block before it, no further; and
 * a table begun may have been split off its paragraph. */
function settled(last, source) {
  const grown = source.startsWith(last.source);
  const solid = last.tokens.flatMap(({ type }, index) => (type === "space" ? [] : [index]));
  const tokens = [];
  let end = 0;
  for (const token of grown ? last.tokens.slice(0, solid.at(-KEPT_OPEN) ?? 0) : []) {
    if (!source.startsWith(token.raw, end)) break;
    tokens.push(token);
    end += token.raw.length;
  }
  return { tokens, end };
}

function lexed(source) {
  try {
    return new Frugal(defaults, source).lex(source);
  } catch {
    /* too dear, or marked gave up on it: a text is still a text */
    return [{ type: "html", block: true, raw: source, text: source }];
  }
}

function opened(tokens) {
  const last = tokens.at(-1);
  if (last?.type === "paragraph") tokens.splice(-1, 1, ...tableBegun(last));
  open(tokens);
  return tokens;
}

/* A table shows itself with its first line, not only when the line below that is complete. */
function tableBegun(paragraph) {
  const [found, head] = TABLE_HEAD.exec(paragraph.raw) ?? [];
  if (!head) return [paragraph];
  const columns = head.replace(/\\\|/g, "").split("|").length - (/\|\s*$/.test(head) ? 2 : 1);
  const before = paragraph.raw.slice(0, -found.length);
  return lexed(`${before}\n${head}\n${"|-".repeat(columns)}|`);
}

function open(tokens) {
  const last = tokens?.findLast(({ type }) => type !== "space");
  if (!last) return;
  last.open = true;
  open(last.items ?? last.tokens);
}
