/* marked's lexer with its costs bounded, since an answer may be anything.
 *
 * Left alone its time grows with the square of some texts, and doubles with each level of others.
 */

import { Lexer, Tokenizer } from "../vendor/marked/marked.esm.js";

const DEPTH = 8; /* levels of quotes, lists, links and marks; what is deeper stays text */
const ADDRESS = 2048; /* characters of an address without brackets */
const LINES = 8192; /* characters of the lines that make one paragraph */
const QUOTE = 32_768; /* characters of the lines that make one quote */
const MARKS = 2000; /* in one paragraph: with more it is shown as it was written */
const LINE = 20_000; /* characters of one line: with more likewise */
const TIMES = 40; /* how often a character is read, on average */
const ALWAYS = 100_000; /* characters that may be read in any case */

class Bounded extends Tokenizer {
  depth = 0;

  within(tokenize) {
    if (this.depth >= DEPTH) return undefined;
    this.depth += 1;
    try {
      return tokenize();
    } finally {
      this.depth -= 1;
    }
  }

  blockquote(src) {
    return this.within(() => super.blockquote(lines(src, QUOTE)));
  }

  list(src) {
    return this.within(() => super.list(src));
  }

  link(src) {
    return this.within(() => super.link(src));
  }

  reflink(src, links) {
    return this.within(() => super.reflink(src, links));
  }

  emStrong(...where) {
    return this.within(() => super.emStrong(...where));
  }

  del(...where) {
    return this.within(() => super.del(...where));
  }

  paragraph(src) {
    return super.paragraph(lines(src, LINES));
  }

  lheading(src) {
    return super.lheading(lines(src, LINES));
  }

  /* Whether it is a table its first two lines tell, for less than all that may be rows. */
  table(src) {
    return super.table(src.split("\n", 2).join("\n")) && super.table(src);
  }

  url(src) {
    return super.url(src.slice(0, ADDRESS));
  }

  /* HTML is text here, so a tag changes nothing for the text behind it. */
  tag(src) {
    const [raw] = this.rules.inline.tag.exec(src) ?? [];
    return raw && { type: "html", raw, text: raw };
  }
}

function lines(src, most) {
  if (src.length <= most) return src;
  const end = Math.max(src.lastIndexOf("\n", most), src.indexOf("\n"));
  return end < 0 ? src : src.slice(0, end);
}

/** A lexer for `source`, as marked's `options` say; throws when it would cost too much. */
export class Frugal extends Lexer {
  constructor(options, source) {
    super({ ...options, tokenizer: new Bounded() });
    this.left = ALWAYS + TIMES * source.length;
  }

  blockTokens(src, ...rest) {
    this.spend(src);
    return super.blockTokens(src, ...rest);
  }

  inlineTokens(src, tokens = []) {
    this.spend(src);
    const marks = src.match(/[*_~[\]<`$\\]/g)?.length ?? 0;
    if (marks <= MARKS && src.length <= LINE) return super.inlineTokens(src, tokens);
    tokens.push({ type: "escape", raw: src, text: src });
    return tokens;
  }

  spend(src) {
    this.left -= src.length;
    if (this.left < 0) throw new RangeError("too dear to read");
  }
}
