/* Formulas, which stay as they were written: in them a backslash or a star is no markdown. */

const BLOCK = /^ {0,3}(?:\$\$[\s\S]+?\$\$|\\\[[\s\S]+?\\\])[ \t]*(?:\n|$)/;
const INLINE = /^(?:\$\$[^$\n]+\$\$|\$(?![\s$])[^$\n]*[^\s$\\]\$(?!\d)|\\\([^\n]+?\\\)|\\\[[^\n]+?\\\])/;

/** A formula in lines of its own. */
export const displayMath = {
  name: "displayMath",
  level: "block",
  tokenizer(src) {
    const [raw] = BLOCK.exec(src) ?? [];
    return raw && { type: "displayMath", raw, text: raw.trim() };
  },
};

/** A formula within a line. */
export const math = {
  name: "math",
  level: "inline",
  start: (src) => {
    const at = src.search(/\$|\\[([]/);
    return at < 0 ? undefined : at;
  },
  tokenizer(src) {
    const [raw] = INLINE.exec(src) ?? [];
    return raw && { type: "math", raw, text: raw };
  },
};
