/* Colours for finished code, by highlight.js, which is fetched when there is code to colour. */

const LARGEST = 50_000;
const HOME = "../vendor/highlight";

/* Which grammars a language needs, by what models call it. */
const GRAMMARS = {
  bash: ["bash", "sh", "shell", "console", "zsh"],
  cpp: ["cpp", "c", "c++", "h", "hpp", "cc"],
  csharp: ["csharp", "cs", "c#"],
  css: ["css"],
  diff: ["diff", "patch"],
  dockerfile: ["dockerfile", "docker"],
  go: ["go", "golang"],
  ini: ["ini", "toml"],
  java: ["java"],
  javascript: ["javascript", "js", "jsx", "mjs", "node"],
  json: ["json", "jsonc", "json5"],
  powershell: ["powershell", "ps1", "pwsh", "ps"],
  python: ["python", "py", "python3"],
  rust: ["rust", "rs"],
  sql: ["sql", "tsql", "postgresql", "mysql", "sqlite"],
  typescript: ["typescript", "ts", "tsx"],
  xml: ["xml", "html", "svg", "xhtml"],
  yaml: ["yaml", "yml"],
};
const EMBEDDED = { xml: ["css", "javascript"] };

const NAMES = new Map(Object.entries(GRAMMARS).flatMap(([grammar, names]) =>
  names.map((name) => [name, grammar])));

let core = null;

/** Colour the text of `node`, some time soon, if its language is known; else it stays plain. */
export async function colour(node, language) {
  const grammar = NAMES.get(language.toLowerCase());
  const text = node.textContent;
  if (!grammar || text.length > LARGEST) return;
  let highlighter;
  try {
    highlighter = await withGrammars([grammar, ...(EMBEDDED[grammar] ?? [])]);
  } catch {
    return; /* the chatbot cannot be reached: plain code is code as well */
  }
  await idle();
  const selected = getSelection();
  const inUse = !selected.isCollapsed && selected.containsNode(node, true);
  if (inUse || node.textContent !== text) return;
  const { _emitter: { rootNode } } = highlighter.highlight(text, { language: grammar });
  const coloured = nodes(rootNode.children);
  if (coloured.map((part) => part.textContent ?? part).join("") === text) {
    node.replaceChildren(...coloured);
  }
}

async function withGrammars(names) {
  core ??= begin();
  const highlighter = await core;
  await Promise.all(names.map(async (name) => {
    if (highlighter.getLanguage(name)) return;
    const grammar = await import(`${HOME}/languages/${name}.min.js`);
    highlighter.registerLanguage(name, grammar.default);
  }));
  return highlighter;
}

async function begin() {
  try {
    const highlighter = (await import(`${HOME}/core.min.js`)).default;
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = new URL("../styles/colours.css", import.meta.url).href;
    document.head.append(sheet);
    return highlighter;
  } catch (error) {
    core = null;
    throw error;
  }
}

/* highlight.js knows its result as a tree too: made into nodes, no HTML is parsed. */
function nodes(children) {
  return children.map((child) => {
    if (typeof child === "string") return child;
    const span = document.createElement("span");
    if (child.scope) span.className = `hljs-${child.scope.split(".")[0]}`;
    span.append(...nodes(child.children));
    return span;
  });
}

function idle() {
  const soon = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 50));
  return new Promise((resolve) => {
    soon(resolve);
  });
}
