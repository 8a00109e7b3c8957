/* Where a link may lead, and characters that are written by name. */

const SAFE = new Set(["http:", "https:", "mailto:"]);
const REFERENCE = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi;
const NAMED = {
  amp: "&", lt: "<", gt: ">", quot: "\"", apos: "'", nbsp: "\u00a0", copy: "©", reg: "®",
  trade: "™", hellip: "…", ndash: "–", mdash: "—", bull: "•", middot: "·", times: "×",
  plusmn: "±", deg: "°", euro: "€", larr: "←", rarr: "→", uarr: "↑", darr: "↓", le: "≤", ge: "≥",
  ne: "≠", laquo: "«", raquo: "»", ldquo: "“", rdquo: "”", lsquo: "‘", rsquo: "’",
};

/** The URL that a link leads to; null where it must not be one. */
export function address(target) {
  let url;
  try {
    url = new URL(decoded(target));
  } catch {
    return null;
  }
  const named = url.username || url.password; /* https://bank.example@evil.example */
  return SAFE.has(url.protocol) && !named ? url : null;
}

/** `text` with its character references resolved, once. */
export function decoded(text) {
  return text.replace(REFERENCE, (written, decimal, hexadecimal, name) => {
    if (name) return Object.hasOwn(NAMED, name) ? NAMED[name] : written;
    const code = decimal ? parseInt(decimal, 10) : parseInt(hexadecimal, 16);
    const none = code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
    return none ? "\ufffd" : String.fromCodePoint(code);
  });
}
