/* Parts laid out as nodes: what is there already and still fits is kept, with a selection in it.
 *
 * A part is a text, or an element to be: {name, attributes, source, parts, finished}. `source` is
 * what it was read from: while it stays the same so does the element; undefined is never the
 * same. `parts` makes what is inside, and `finished` is told the element once it is there.
 */

const sources = new WeakMap();

/** Make the children of `parent` be `parts`; `afresh` looks into each, whatever its source. */
export function lay(parent, parts, { afresh = false } = {}) {
  let node = parent.firstChild;
  for (const part of parts) {
    const next = node?.nextSibling ?? null;
    if (!node) parent.append(made(part));
    else if (fits(node, part)) renew(node, part, afresh);
    else node.replaceWith(made(part));
    node = next;
  }
  while (node) {
    const next = node.nextSibling;
    node.remove();
    node = next;
  }
}

function fits(node, part) {
  if (typeof part === "string") return node.nodeType === Node.TEXT_NODE;
  return node.nodeType === Node.ELEMENT_NODE && node.localName === part.name;
}

function made(part) {
  if (typeof part === "string") return document.createTextNode(part);
  const node = document.createElement(part.name);
  fill(node, part, {});
  return node;
}

function renew(node, part, afresh) {
  if (typeof part === "string") {
    if (!part.startsWith(node.data)) node.data = part;
    else if (part !== node.data) node.appendData(part.slice(node.data.length));
  } else if (afresh || part.source === undefined || sources.get(node) !== part.source) {
    fill(node, part, { afresh });
  }
}

function fill(node, { attributes = {}, source, parts, finished }, how) {
  for (const name of node.getAttributeNames()) {
    if (!(name in attributes)) node.removeAttribute(name);
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  lay(node, parts?.() ?? [], how);
  sources.set(node, source);
  finished?.(node);
}
