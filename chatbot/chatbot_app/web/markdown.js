/* Markdown of a model, as DOM nodes: no HTML is ever parsed, so none can be injected. */

import { blocks } from "./blocks.js";
import { inline, make } from "./inline.js";

/** Show `text` in `container`, touching only the blocks that changed since the last time. */
export function show(container, text) {
  const shown = container.shownBlocks ?? (container.shownBlocks = []);
  const next = blocks(text.split(/\r?\n/));
  next.forEach((block, index) => {
    const source = JSON.stringify(block);
    if (shown[index] === source) return;
    const node = element(block);
    if (index < container.children.length) container.children[index].replaceWith(node);
    else container.append(node);
    shown[index] = source;
  });
  while (container.children.length > next.length) container.lastElementChild.remove();
  shown.length = next.length;
}

function element(block) {
  switch (block.kind) {
    case "heading":
      return make(`h${Math.min(block.level + 1, 6)}`, inline(block.text, 0));
    case "rule":
      return make("hr");
    case "quote":
      return make("blockquote", block.blocks.map(element));
    case "list":
      return listElement(block);
    case "code":
      return codeElement(block);
    case "table":
      return tableElement(block);
    default:
      return make("p", inline(block.text, 0));
  }
}

function listElement({ ordered, start, items }) {
  const node = make(ordered ? "ol" : "ul", items.map((parts) => {
    const tight = parts[0]?.kind === "paragraph";
    const first = tight ? inline(task(parts[0].text), 0) : [];
    return make("li", [...first, ...parts.slice(tight ? 1 : 0).map(element)]);
  }));
  if (start !== 1) node.start = start;
  return node;
}

function task(text) {
  return text.replace(/^\[ \] /, "☐ ").replace(/^\[[xX]\] /, "☑ ");
}

function codeElement({ language, text }) {
  const copy = make("button", ["Copy"]);
  copy.type = "button";
  copy.className = "quiet";
  copy.dataset.copy = "code";
  const bar = make("div", [make("span", [language || "text"]), copy]);
  const pre = make("pre", [make("code", [text])]);
  pre.tabIndex = 0;
  const node = make("div", [bar, pre]);
  node.className = "code";
  return node;
}

function tableElement({ align, head, rows }) {
  const row = (name, texts) => make("tr", head.map((_, index) => {
    const cell = make(name, inline(texts[index] ?? "", 0));
    if (align[index]) cell.className = align[index];
    return cell;
  }));
  const body = make("tbody", rows.map((texts) => row("td", texts)));
  const node = make("div", [make("table", [make("thead", [row("th", head)]), body])]);
  node.className = "table";
  node.tabIndex = 0;
  return node;
}
