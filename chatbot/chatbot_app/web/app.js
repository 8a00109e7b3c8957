/* The page: messages in, answers out. */

import { ask } from "./answers.js";
import * as follow from "./follow.js";
import { show } from "./markdown.js";
import { keep, onChange, posted, recall } from "./memory.js";

const $ = (id) => document.getElementById(id);
const list = $("messages");
const text = $("text");

let chat = recall();
let running = null;
let leaving = false;

/* Views */

function draw() {
  list.replaceChildren(...chat.messages.map(view));
  update();
  follow.look();
}

function update() {
  const empty = chat.messages.length === 0;
  $("welcome").hidden = !empty;
  $("restore").hidden = chat.previous.length === 0;
  $("new").hidden = empty;
  $("send").hidden = running !== null;
  $("stop").hidden = running === null;
  $("send").disabled = !text.value.trim();
}

function view(message) {
  const node = document.createElement("li");
  node.className = message.role;
  if (message.role === "user") {
    node.append(unseen("You: "), message.content);
  } else {
    redraw(node, message);
  }
  return node;
}

/** Show an answer as it is now; while it grows, only its text changes. */
function redraw(node, message) {
  if (!node.firstChild) node.append(unseen("Answer: "), make("div", "answer"));
  show(node.children[1], message.content, { growing: Boolean(message.growing) });
  while (node.children.length > 2) node.lastChild.remove();
  if (message.growing && !message.content) node.append(waiting());
  if (message.growing) return;
  if (message.error) node.append(errorView(node, message));
  else node.append(below(message));
}

function waiting() {
  const node = make("div", "wait");
  node.append(make("i"), make("i"), make("i"));
  return node;
}

function below(message) {
  const node = make("div", "below");
  if (message.content) {
    const copy = make("button", "quiet", "Copy");
    copy.type = "button";
    copy.addEventListener("click", () => copyText(copy, message.content));
    node.append(copy);
  }
  if (message.stopped) node.append("You stopped this answer.");
  if (message.note) node.append(message.note);
  return node;
}

function errorView(node, message) {
  const box = make("div", "error");
  const retry = make("button", "", "Retry");
  retry.type = "button";
  retry.addEventListener("click", () => tryAgain(message));
  box.append(make("p", "", message.error.message), retry);
  countDown(retry, message.error.until);
  return box;
}

function countDown(button, until) {
  const left = Math.ceil(((until ?? 0) - Date.now()) / 1000);
  button.disabled = left > 0;
  button.textContent = left > 0 ? `Retry in ${left} s` : "Retry";
  if (left > 0) setTimeout(() => button.isConnected && countDown(button, until), 500);
}

function make(name, className = "", content = "") {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (content) node.append(content);
  return node;
}

function unseen(label) {
  return make("span", "unseen", label);
}

/* Talking */

function say(content) {
  chat = { messages: [...chat.messages, { role: "user", content }], previous: [] };
  list.append(view(chat.messages.at(-1)));
  answer();
}

function tryAgain(failed) {
  if (running) return;
  const index = chat.messages.indexOf(failed);
  if (index !== chat.messages.length - 1) return;
  chat.messages.pop();
  list.lastElementChild.remove();
  text.focus();
  answer();
}

async function answer() {
  const asked = posted(chat.messages);
  const message = { role: "assistant", content: "", growing: true };
  const node = view(message);
  chat.messages.push(message);
  list.append(node);
  running = new AbortController();
  update();
  follow.go();
  $("spoken").textContent = "The answer is on its way.";
  await grow(message, node, asked, running.signal);
  delete message.growing;
  running = null;
  redraw(node, message);
  save();
  update();
  follow.keepUp();
  $("spoken").textContent = message.error?.message ?? node.children[1].textContent;
}

async function grow(message, node, asked, signal) {
  const soon = onceAFrame(() => {
    redraw(node, message);
    follow.keepUp();
  });
  try {
    for await (const { name, data } of ask(asked, signal)) {
      if (name === "delta") message.content += data.text;
      if (name === "error") message.error = problem(data);
      if (name === "done") message.note = note(data);
      soon();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    message.stopped = true;
  }
}

function problem({ message, retryAfter }) {
  const wait = retryAfter && retryAfter <= 600 ? Date.now() + retryAfter * 1000 : 0;
  return { message, until: wait };
}

function note({ finish, leftOut }) {
  const notes = [];
  if (finish === "length") notes.push("The answer reached its length limit.");
  if (leftOut) notes.push(`The ${leftOut} oldest messages no longer fit and were left out.`);
  return notes.join(" ");
}

function onceAFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

/** Keep what is there; should the page go away, an answer that still grows can be asked again. */
function save() {
  if (leaving) return;
  const cut = { message: "The page was closed before this answer was complete." };
  const messages = chat.messages.map(({ growing, ...message }) =>
    growing ? { ...message, error: cut } : message);
  keep({ ...chat, messages });
}

/* Hands */

async function copyText(button, content) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(content);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed here";
  }
  setTimeout(() => (button.textContent = label), 1500);
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const content = text.value.trim();
  if (!content || running) return;
  text.value = "";
  fit();
  say(content);
});

text.addEventListener("keydown", (event) => {
  const composing = event.isComposing || event.keyCode === 229;
  if (event.key !== "Enter" || event.shiftKey || composing) return;
  event.preventDefault();
  $("composer").requestSubmit();
});

text.addEventListener("input", fit);

/** Let the field grow with its text where the browser does not do so itself. */
function fit() {
  if (!CSS.supports("field-sizing", "content")) {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  }
  $("send").disabled = !text.value.trim();
}

$("stop").addEventListener("click", stop);

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) stop();
});

function stop() {
  running?.abort();
  text.focus();
}

$("new").addEventListener("click", () => {
  stop();
  save();
  chat = { messages: [], previous: recall().messages };
  keep(chat);
  draw();
  text.focus();
});

$("restore").addEventListener("click", () => {
  chat = { messages: chat.previous, previous: [] };
  keep(chat);
  draw();
  follow.go();
  text.focus();
});

$("latest").addEventListener("click", () => {
  follow.go();
  text.focus();
});

list.addEventListener("click", ({ target }) => {
  if (target.dataset?.copy !== "code") return;
  copyText(target, target.closest(".code").querySelector("code").textContent);
});

addEventListener("pagehide", () => {
  save();
  leaving = true;
});
addEventListener("pageshow", () => (leaving = false));
onChange(() => {
  if (running) return;
  chat = recall();
  draw();
});

async function entitle() {
  const { title, welcome, starters, disclaimer } = await (await fetch("api/config")).json();
  $("title").textContent = document.title = title;
  if (welcome) $("greeting").textContent = welcome;
  if (disclaimer) $("disclaimer").textContent = disclaimer;
  $("starters").replaceChildren(...starters.map(starter));
}

function starter(question) {
  const button = make("button", "quiet", question);
  button.type = "button";
  button.addEventListener("click", () => {
    if (!running) say(question);
    text.focus();
  });
  const item = make("li");
  item.append(button);
  return item;
}

draw();
follow.go();
fit();
entitle();
