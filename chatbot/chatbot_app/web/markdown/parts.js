/* What marked's tokens become: plain data, which `lay` turns into nodes.
 *
 * HTML stays text. Pictures stay where they are: an answer must not fetch anything, since with
 * the address of a picture it could send out what it was told.
 */

import { strings } from "../strings.js";
import { address, decoded } from "./addresses.js";
import { colour } from "./colours.js";

/** The parts that stand for `tokens`; within a link (`linked`) there is no other. */
export function parts(tokens, linked = false) {
  return tokens.flatMap((token) => PARTS[token.type](token, linked));
}

function element(name, token, attributes, inside) {
  return {
    name,
    attributes,
    source: token.open ? undefined : token.raw,
    parts: inside ?? (() => parts(token.tokens)),
  };
}

function plain(name) {
  return (token, linked) => element(name, token, {}, () => parts(token.tokens, linked));
}

const PARTS = {
  space: () => [],
  def: () => [],
  paragraph: plain("p"),
  blockquote: plain("blockquote"),
  strong: plain("strong"),
  em: plain("em"),
  del: plain("del"),
  hr: (token) => element("hr", token, {}, () => []),
  br: (token) => element("br", token, {}, () => []),
  heading: (token) => element(`h${Math.min(token.depth + 1, 6)}`, token),
  list: listed,
  code: fenced,
  table: tabled,
  html: (token) => markup(token),
  displayMath: (token) => element("p", token, { class: "raw" }, () => [token.text]),
  text: (token, linked) => (token.tokens ? parts(token.tokens, linked) : decoded(token.raw)),
  escape: ({ text }) => text,
  math: ({ text }) => text,
  checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  codespan: (token) => element("code", token, {}, () => [token.text]),
  link: linkTo,
  image: picture,
};

function listed(token) {
  const start = token.ordered && token.start !== 1 ? { start: String(token.start) } : {};
  return element(token.ordered ? "ol" : "ul", token, start, () => token.items.map(listItem));
}

/* A blank line anywhere in a list makes paragraphs of all its items. */
function listItem(item) {
  const node = element("li", item, item.task ? { class: "task" } : {});
  return { ...node, source: node.source && `${item.loose} ${node.source}` };
}

/* Of all tags one is common in answers and harmless: a line break, mostly in tables. */
function markup(token) {
  if (/^<br\s*\/?>$/i.test(token.raw)) return element("br", token, {}, () => []);
  const text = token.raw.trimEnd();
  return token.block ? element("p", token, { class: "raw" }, () => [text]) : token.raw;
}

function linkTo(token, linked) {
  const url = linked ? null : address(token.href);
  if (!url) return parts(token.tokens, linked);
  return anchor(url, () => parts(token.tokens, true), token.raw);
}

function anchor({ href }, inside, source) {
  const attributes = { href, target: "_blank", rel: "noopener noreferrer", title: href };
  return { name: "a", attributes, source, parts: inside };
}

function picture(token, linked) {
  const url = linked ? null : address(token.href);
  const name = strings.picture(decoded(token.text));
  const where = url?.host ? [" · ", anchor(url, () => [url.host])] : [];
  return element("span", token, { class: "picture" }, () => [name, ...where]);
}

function fenced(token) {
  const language = /^[^\s,{:]*/.exec(token.lang ?? "")[0].slice(0, 40);
  const called = language || strings.plain;
  const scrolled = { tabindex: "0", role: "group", "aria-label": strings.code(called) };
  const copy = { type: "button", class: "quiet", "data-copy": "code" };
  const code = { name: "code", parts: () => [token.text] };
  const inside = () => [
    { name: "div", parts: () => [
      { name: "span", parts: () => [called] },
      { name: "button", attributes: copy, parts: () => [strings.copy] },
    ] },
    { name: "pre", attributes: scrolled, parts: () => [code] },
  ];
  const finished = (node) => token.open || colour(node.querySelector("code"), language);
  return { ...element("div", token, { class: "code" }, inside), finished };
}

function tabled(token) {
  const head = { name: "thead", parts: () => [row("th", token.header)] };
  const body = { name: "tbody", parts: () => token.rows.map((cells) => row("td", cells)) };
  const table = { name: "table", parts: () => [head, body] };
  const scrolled = { class: "table", tabindex: "0", role: "group", "aria-label": strings.table };
  return element("div", token, scrolled, () => [table]);
}

function row(name, cells) {
  const source = JSON.stringify(cells.map(({ text, align }) => [text, align]));
  return { name: "tr", source, parts: () => cells.map(({ tokens, align }) =>
    ({ name, attributes: align ? { class: align } : {}, parts: () => parts(tokens) })) };
}
