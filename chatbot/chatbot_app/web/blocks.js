/* Markdown of a model, split into blocks: plain data, so that two versions can be compared. */

const DEPTH = 8;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(\s+|$)/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** Split lines into blocks, nested up to a depth. */
export function blocks(lines, depth = 0) {
  const found = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const [block, next] = blockAt(lines, at, depth);
    found.push(block);
    at = next;
  }
  return found;
}

function blockAt(lines, at, depth) {
  const line = lines[at];
  if (FENCE.test(line)) return code(lines, at);
  const heading = HEADING.exec(line);
  if (heading) return [{ kind: "heading", level: heading[1].length, text: heading[2] }, at + 1];
  if (RULE.test(line)) return [{ kind: "rule" }, at + 1];
  if (depth < DEPTH && QUOTE.test(line)) return quote(lines, at, depth);
  if (depth < DEPTH && ITEM.test(line)) return list(lines, at, depth);
  if (isTable(lines, at)) return table(lines, at);
  return paragraph(lines, at);
}

function code(lines, start) {
  const [, fence, language] = FENCE.exec(lines[start]);
  const indent = /^ */.exec(lines[start])[0].length;
  const body = [];
  let at = start + 1;
  for (; at < lines.length; at += 1) {
    const line = lines[at].trim();
    if (line.startsWith(fence) && !line.replaceAll(fence[0], "")) return [closed(), at + 1];
    body.push(lines[at].replace(new RegExp(`^ {0,${indent}}`), ""));
  }
  return [closed(), at];

  function closed() {
    return { kind: "code", language, text: body.join("\n") };
  }
}

function quote(lines, start, depth) {
  let at = start;
  while (at < lines.length && QUOTE.test(lines[at])) at += 1;
  const inner = lines.slice(start, at).map((line) => line.replace(QUOTE, ""));
  return [{ kind: "quote", blocks: blocks(inner, depth + 1) }, at];
}

function list(lines, start, depth) {
  const [, , first] = ITEM.exec(lines[start]);
  const ordered = /\d/.test(first);
  const items = [];
  let at = start;
  while (at < lines.length) {
    const marker = ITEM.exec(lines[at]);
    if (!marker || /\d/.test(marker[2]) !== ordered || RULE.test(lines[at])) break;
    const [item, next] = itemAt(lines, at, marker);
    items.push(blocks(item, depth + 1));
    at = next;
  }
  return [{ kind: "list", ordered, start: ordered ? parseInt(first, 10) : 1, items }, at];
}

/* Models indent what belongs to an item by two spaces or more, whatever its marker's width. */
function itemAt(lines, start, marker) {
  const indent = marker[1].length;
  const body = [lines[start].slice(marker[0].length)];
  let at = start + 1;
  for (; at < lines.length; at += 1) {
    const line = lines[at];
    const depth = /^ */.exec(line)[0].length;
    if (!line.trim()) {
      const following = lines.slice(at).find((later) => later.trim());
      if (following === undefined) break;
      const goesOn = /^ */.exec(following)[0].length >= indent + 2 || ITEM.test(following);
      if (!goesOn) break;
      body.push("");
    } else if (depth >= indent + 2) {
      body.push(line.slice(Math.min(depth, Math.max(indent + 2, marker[0].length))));
    } else if (startsBlock(line) || !lines[at - 1].trim()) {
      break;
    } else {
      body.push(line.trimStart());
    }
  }
  return [body, at];
}

function isTable(lines, at) {
  const divider = lines[at + 1];
  return lines[at].includes("|") && divider !== undefined && divider.includes("-") &&
    divider.includes("|") && DIVIDER.test(divider);
}

function table(lines, start) {
  const align = cells(lines[start + 1]).map((cell) =>
    cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "");
  const rows = [];
  let at = start + 2;
  for (; at < lines.length && lines[at].includes("|"); at += 1) rows.push(cells(lines[at]));
  return [{ kind: "table", align, head: cells(lines[start]), rows }, at];
}

function cells(line) {
  const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function paragraph(lines, start) {
  let at = start + 1;
  while (at < lines.length && lines[at].trim() && !startsBlock(lines[at]) && !isTable(lines, at)) {
    at += 1;
  }
  return [{ kind: "paragraph", text: lines.slice(start, at).map((l) => l.trim()).join("\n") }, at];
}

function startsBlock(line) {
  return [FENCE, HEADING, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line));
}
