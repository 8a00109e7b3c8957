/* The conversations of this browser: by age, or those that hold what is searched. */

import { strings } from "../strings.js";
import { arrange, iconButton, make, unseen } from "./dom.js";

const DAY = 86_400_000;
const list = document.getElementById("list");
const none = make("p", { class: "none" });
const ages = new Map(Object.entries(strings.ages).map(([age, label]) => {
  const items = make("ul", { "aria-labelledby": `age-${age}` });
  return [age, { items, node: make("section", {}, make("h2", { id: `age-${age}` }, label), items) }];
}));
const found = make("ul", { "aria-label": strings.search });

let shown = new Map();

/** Show headings, newest first; `growing` are ids, `options(heading, button)` opens a menu. */
export function draw(headings, { now, current, growing, options }) {
  const refocus = focusAgain();
  const groups = new Map([...ages.keys()].map((age) => [age, []]));
  const next = new Map();
  for (const heading of headings) {
    const each = entry(heading, growing.has(heading.id), options);
    mark(each.link, heading.id === current);
    next.set(heading.id, each);
    groups.get(ageOf(heading.changed, now)).push(each.node);
  }
  shown = next;
  none.textContent = strings.noConversations;
  for (const [age, nodes] of groups) arrange(ages.get(age).items, nodes);
  const filled = [...groups].filter(([, nodes]) => nodes.length);
  arrange(list, filled.length ? filled.map(([age]) => ages.get(age).node) : [none]);
  refocus();
}

/** Show what a search found: headings with a snippet. */
export function drawFound(results, { query, current, options }) {
  const refocus = focusAgain();
  none.textContent = strings.nothingFound(query);
  arrange(found, results.map((result) => {
    const { node, link } = item(result, false, options);
    mark(link, result.id === current);
    if (result.snippet) {
      const [before, word, after] = result.snippet;
      link.append(make("span", { class: "snippet" }, before, make("mark", {}, word), after));
    }
    return node;
  }));
  arrange(list, results.length ? [found] : [none]);
  refocus();
}

/** Go to the first conversation of the list. */
export function focusFirst() {
  list.querySelector("a")?.focus();
}

/** Give the first conversation of the list, or undefined. */
export function first() {
  return list.querySelector("a")?.hash.slice(1);
}

/* A row is kept as long as it would be drawn the same, so the focus stays in it. */
function entry(heading, growing, options) {
  const source = JSON.stringify([heading.title, growing]);
  const before = shown.get(heading.id);
  return before?.source === source ? before : { source, ...item(heading, growing, options) };
}

/* A row that is drawn anew, or moves, would lose the focus. */
function focusAgain() {
  const focused = document.activeElement;
  const row = list.contains(focused) && focused.closest("li");
  if (!row) return () => {};
  const { hash } = row.querySelector("a");
  const place = [...row.children].indexOf(focused);
  return () => {
    if (document.activeElement === focused) return;
    const same = [...list.querySelectorAll("a")].find((link) => link.hash === hash);
    same?.parentNode.children[place].focus();
  };
}

function item(heading, growing, options) {
  const link = make("a", { href: `#${heading.id}` }, make("span", {}, heading.title));
  if (growing) link.append(make("i", { class: "dot" }), unseen(strings.growing));
  const more = iconButton("more", strings.optionsOf(heading.title),
    ({ currentTarget }) => options(heading, currentTarget), { "aria-haspopup": "menu" });
  return { link, node: make("li", {}, link, more) };
}

function mark(link, current) {
  if (current) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

function ageOf(changed, now) {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (changed >= midnight) return "today";
  if (changed >= midnight - DAY) return "yesterday";
  return changed >= midnight - 7 * DAY ? "week" : "older";
}
