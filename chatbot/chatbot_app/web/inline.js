/* The text inside a block, as nodes: bold, italic, struck, code, and links to http, https, mailto.
 *
 * Images become links, because an answer must not fetch anything.
 */

const DEPTH = 8;
const TRIES = 64;
const SAFE = new Set(["http:", "https:", "mailto:"]);
const MARKS = [["**", "strong"], ["__", "strong"], ["~~", "del"], ["*", "em"], ["_", "em"]];
const LINK = /!?\[((?:[^[\]\\]|\\.|\[[^[\]]*\])*)\]\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+["'(][^"')]*["')])?\s*\)/y;
const ADDRESS = /<((?:https?:\/\/|mailto:)[^\s<>]+)>/y;
const BARE = /https?:\/\/[^\s<>"]*[^\s<>".,;:!?'’”)\]*_~]/y;
const ESCAPE = /\\([!-/:-@[-`{-~])/y;

/** Turn the text of one block into nodes; nested marks up to a depth, so that it always ends. */
export function inline(text, depth) {
  const nodes = [];
  const withoutEnd = new Set();
  let plain = "";
  let at = 0;
  const push = (node, length) => {
    if (plain) nodes.push(plain);
    plain = "";
    nodes.push(node);
    at += length;
  };
  while (at < text.length) {
    const made = depth < DEPTH && nodeAt(text, at, depth, withoutEnd);
    if (made) push(...made);
    else plain += text[at++];
  }
  if (plain) nodes.push(plain);
  return nodes;
}

function nodeAt(text, at, depth, withoutEnd) {
  switch (text[at]) {
    case "\\": {
      const escaped = match(ESCAPE, text, at);
      return escaped && [escaped[1], 2];
    }
    case "\n":
      return [make("br"), 1];
    case "`":
      return codeSpan(text, at, withoutEnd);
    case "!":
    case "[":
    case "<":
    case "h":
      return linkAt(text, at, depth);
    default:
      return marked(text, at, depth, withoutEnd);
  }
}

function codeSpan(text, at, withoutEnd) {
  const ticks = /`+/y;
  ticks.lastIndex = at;
  const fence = ticks.exec(text)[0];
  if (withoutEnd.has(fence)) return [fence, fence.length];
  let end = text.indexOf(fence, at + fence.length);
  while (end !== -1 && text[end + fence.length] === "`") {
    while (text[end] === "`") end += 1;
    end = text.indexOf(fence, end);
  }
  if (end === -1) {
    withoutEnd.add(fence);
    return [fence, fence.length];
  }
  const inner = text.slice(at + fence.length, end).replaceAll("\n", " ");
  const trimmed = /^ .*\S.* $/.test(inner) ? inner.slice(1, -1) : inner;
  return [make("code", [trimmed]), end + fence.length - at];
}

function linkAt(text, at, depth) {
  const link = match(LINK, text, at);
  if (link) return [anchor(link[2], inline(link[1] || link[2], depth + 1)), link[0].length];
  const address = match(ADDRESS, text, at);
  if (address) return [anchor(address[1], [address[1]]), address[0].length];
  const bare = !/\w/.test(text[at - 1] ?? "") && match(BARE, text, at);
  return bare && [anchor(bare[0], [bare[0]]), bare[0].length];
}

function anchor(target, content) {
  let url;
  try {
    url = new URL(target);
  } catch {
    url = null;
  }
  if (!url || !SAFE.has(url.protocol)) return make("span", content);
  const node = make("a", content);
  node.href = url.href;
  node.target = "_blank";
  node.rel = "noopener noreferrer";
  return node;
}

function marked(text, at, depth, withoutEnd) {
  for (const [mark, name] of MARKS) {
    if (!text.startsWith(mark, at) || withoutEnd.has(mark)) continue;
    const end = endOf(mark, text, at);
    if (end === -1) {
      withoutEnd.add(mark);
    } else if (end > 0) {
      const inner = inline(text.slice(at + mark.length, end), depth + 1);
      return [make(name, inner), end + mark.length - at];
    }
  }
  return null;
}

/* Where a mark that opens at `at` closes: -1 when the text has no further one, 0 when this one
 * does not open anything. An underscore inside a word is a letter. */
function endOf(mark, text, at) {
  const from = at + mark.length;
  const underscore = mark[0] === "_";
  if (/\s|^$/.test(text[from] ?? "")) return 0;
  if (underscore && /[\p{L}\p{N}]/u.test(text[at - 1] ?? "")) return 0;
  let end = text.indexOf(mark, from);
  if (end === -1) return -1;
  for (let tries = 0; end !== -1 && tries < TRIES; end = text.indexOf(mark, end + 1), tries += 1) {
    if (mark.length === 1 && text[end + 1] === mark) {
      end += 1;
      continue;
    }
    if (mark.length === 2 && text[end + 2] === mark[0]) end += 1;
    const closes = end > from && !/\s/.test(text[end - 1]) && text[end - 1] !== "\\";
    if (closes && !(underscore && /[\p{L}\p{N}]/u.test(text[end + mark.length] ?? ""))) return end;
  }
  return 0;
}

function match(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Make an element with nodes or texts in it. */
export function make(name, content = []) {
  const node = document.createElement(name);
  node.append(...content);
  return node;
}
