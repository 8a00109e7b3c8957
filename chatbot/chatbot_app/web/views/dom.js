/* Elements, without a word of HTML. */

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  sidebar: "M3.5 4.5h13v11h-13zM8 4.5v11",
  new: "M10 4.5v11M4.5 10h11",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM13 13l3.5 3.5",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  gear: "M4 6.5h6m4 0h2M4 13.5h2m4 0h6M12 4.5v4M8 11.5v4",
  copy: "M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3",
  done: "M4.5 10.5l3.5 3.5 7.5-8",
  again: "M15.5 10a5.5 5.5 0 1 1-1.7-4M14 2.8V6h-3.2",
  edit: "M4.5 15.5l.7-3.2 7.6-7.6 2.5 2.5-7.6 7.6z",
  older: "M12 5.5L7.5 10l4.5 4.5",
  newer: "M8 5.5l4.5 4.5L8 14.5",
  latest: "M10 4v11m-5-5 5 5 5-5",
  send: "M10 16V4m-5 5 5-5 5 5",
  stop: "M6.5 6.5h7v7h-7z",
  ghost: "M4.5 16V9a5.5 5.5 0 0 1 11 0v7l-1.8-1.4L11.8 16 10 14.6 8.2 16l-1.9-1.4zM8 9h.01M12 9h.01",
  close: "M5.5 5.5l9 9m0-9l-9 9",
};

/** Make an element: `on…` members listen, true and false turn an attribute on and off. */
export function make(name, members = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(members)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean") node.toggleAttribute(key, value);
    else if (value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Make a text that only screen readers are told. */
export function unseen(text) {
  return make("span", { class: "unseen" }, text);
}

/** Draw an icon. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon-${name}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Make a button of words. */
export function button(label, onclick, members = {}) {
  return make("button", { type: "button", class: "quiet", onclick, ...members }, label);
}

/** Make a button of an icon; its name is read out and shown when pointed at. */
export function iconButton(name, label, onclick, members = {}) {
  const named = { "aria-label": label, title: label };
  return make("button", { type: "button", class: "icon", onclick, ...named, ...members }, icon(name));
}

const saying = new WeakSet();

/** Put text on the clipboard and say on the button how that went; meanwhile it does nothing. */
export async function copy(node, text, { done, refused }) {
  if (saying.has(node)) return;
  saying.add(node);
  const before = [...node.childNodes];
  const label = node.getAttribute("aria-label");
  const say = (words, shown) => {
    if (label) node.setAttribute("aria-label", words);
    node.replaceChildren(...shown);
  };
  try {
    await navigator.clipboard.writeText(text);
    say(done, label ? [icon("done")] : [done]);
  } catch {
    say(refused, label ? [icon("close")] : [refused]);
  }
  setTimeout(() => {
    say(label, before);
    saying.delete(node);
  }, 1500);
}

/** Do work at most once a frame. */
export function onceAFrame(work) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      work();
    });
  };
}

/** Put these nodes into a parent, in this order, without touching those that stay in place. */
export function arrange(parent, nodes) {
  const staying = new Set(nodes);
  for (const child of [...parent.children]) {
    if (!staying.has(child)) child.remove();
  }
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}
