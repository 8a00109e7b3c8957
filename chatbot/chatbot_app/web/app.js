/* The page, put together: the store, who talks, and what is shown. */

import { begin, choose, path } from "./conversation.js";
import { Keeping } from "./keeping.js";
import { listen } from "./keys.js";
import { Listing } from "./listing.js";
import * as settings from "./settings.js";
import { openStore } from "./store.js";
import { strings } from "./strings.js";
import { Talk } from "./talk.js";
import * as composer from "./views/composer.js";
import { showSettings, showShortcuts } from "./views/dialogs.js";
import * as follow from "./views/follow.js";
import * as sidebar from "./views/sidebar.js";
import { fill } from "./views/skeleton.js";
import * as thread from "./views/thread.js";
import { toast } from "./views/toast.js";
import * as welcome from "./views/welcome.js";

const $ = (id) => document.getElementById(id);

let config = {};
let store;
let talk;
let keeping;
let listing;
let shown = null;
let early = false; /* something was to be said before the page was ready */

/* What is shown */

function here() {
  return location.hash.slice(1);
}

function fresh(temporary = false) {
  return begin({ id: newId(), now: Date.now(), temporary });
}

/** Go to a conversation, or (null) to a new one. */
function go(id) {
  const address = location.pathname + location.search;
  if ((id ?? "") !== here()) history.pushState(null, "", id ? `#${id}` : address);
  return open();
}

/** Show the conversation that the address names. */
async function open() {
  const id = here();
  const conversation = id ? await store.get(id) : fresh();
  if (id !== here()) return;
  if (!conversation) {
    if (!$("trouble").textContent) toast(strings.gone); /* else that is why, and nothing is lost */
    return go(null);
  }
  const first = !shown; /* who has begun to search meanwhile goes on */
  turnTo(conversation);
  sidebar.chosen();
  if (!first || document.activeElement === document.body) composer.focus();
}

function turnTo(conversation) {
  if (shown?.temporary && shown.id !== conversation.id) leave(shown);
  shown = conversation;
  composer.turnTo(conversation.id);
  draw();
  follow.go();
  listing.draw();
}

/** Nothing of a temporary chat outlives its being shown. */
async function leave(conversation) {
  await talk.stop(conversation.id);
  await store.remove(conversation.id);
}

function draw() {
  const run = talk.growing(shown.id);
  const messages = path(shown);
  thread.draw(shown, run, hands);
  welcome.draw({ empty: !messages.length, temporary: shown.temporary });
  composer.busy({ here: Boolean(run), elsewhere: !run && Boolean(messages.at(-1)?.growing) });
  $("options").hidden = !messages.length;
  $("memory").textContent = remembered(messages, shown.temporary);
  document.title = shown.title && !shown.temporary ? `${shown.title} · ${titled()}` : titled();
  talk.settle(shown);
}

function titled() {
  return config.title || strings.untitled;
}

function remembered(messages, temporary) {
  const usage = messages.findLast((message) => message.usage)?.usage;
  const used = usage && strings.memory(usage.promptTokens + usage.completionTokens, usage.window);
  return [temporary && strings.memoryOff, used].filter(Boolean).join(" · ");
}

/** Show what became of a conversation, if it is the one that is shown. */
function changed(conversation) {
  if (conversation && conversation.id === shown.id) {
    shown = conversation;
    draw();
  }
  listing.draw();
}

/** Show what another tab did to a conversation (null: to many). */
async function heard(id) {
  if (!shown) return;
  listing.draw();
  if (shown.temporary || !shown.messages.length || (id && id !== shown.id)) return;
  const conversation = await store.get(shown.id);
  if (conversation) changed(conversation);
  else if (!talk.growing(shown.id)) await gone(shown.id);
}

async function gone(id) {
  if (id !== shown.id) return;
  toast(strings.gone);
  await go(null);
}

/* Talking */

function say(content) {
  early = !shown;
  if (early || talk.growing(shown.id) || path(shown).at(-1)?.growing) return false;
  talk.say(shown, shown.tip, content);
  return true;
}

/** Once nothing grows here any longer, let something else grow. */
async function then(act) {
  await talk.stop(shown.id);
  act();
  composer.focus();
}

const hands = {
  edit: (id, text) => then(() => talk.say(shown, shown.messages.find((each) => each.id === id).parent, text)),
  again: (id) => then(() => talk.again(shown, id)),
  retry: (id) => then(() => talk.retry(shown, id)),
  choose: async (id, turn) => {
    const chosen = await store.change(shown.id, (conversation) => choose(conversation, id));
    if (!chosen) return gone(shown.id);
    changed(chosen);
    thread.focusTurn(id, turn);
  },
};

function began(conversation) {
  if (conversation.id === shown.id) {
    if (!shown.temporary && here() !== shown.id) history.replaceState(null, "", `#${shown.id}`);
    follow.go();
    speak(strings.onItsWay);
  }
  changed(conversation);
}

function ended(conversation, message) {
  changed(conversation);
  const words = conversation.id === shown.id ? thread.spoken(message.id) : undefined;
  if (words === undefined) speak(strings.readyElsewhere(conversation.title));
  else if (message.error) speak(message.error.message);
  else if (message.stopped) speak(strings.stopped);
  else speak(words);
}

function speak(words) {
  $("spoken").textContent = words;
}

/* Hands and keys */

function stop() {
  if (!shown || !talk.growing(shown.id)) return false;
  talk.stop(shown.id);
  composer.focus();
  return true;
}

function beginNew() {
  if (!store) return;
  if (here()) go(null);
  else open();
}

function search() {
  sidebar.open($("search"));
  $("search").select();
}

function turnTemporary() {
  if (!store || shown.messages.length) return;
  shown = { ...shown, temporary: !shown.temporary };
  draw();
}

function attend() {
  sidebar.begin();
  composer.begin({ onSend: say, onStop: stop });
  listen({ stop, search, begin: beginNew, sheet: showShortcuts });
  $("new").addEventListener("click", beginNew);
  $("new-narrow").addEventListener("click", beginNew);
  $("temporary").addEventListener("click", turnTemporary);
  $("options").addEventListener("click", ({ currentTarget }) => keeping.openMenu(shown, currentTarget));
  $("settings").addEventListener("click", () => showSettings(config.user, keeping));
  $("latest").addEventListener("click", () => {
    follow.go();
    composer.focus();
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); /* the address names a conversation, not a place in the page */
    $("text").focus();
  });
  $("list").addEventListener("click", ({ target }) => target.closest("a") && sidebar.chosen());
  addEventListener("hashchange", () => store && open());
  addEventListener("pageshow", ({ persisted }) => persisted && heard(null));
  document.addEventListener("visibilitychange", () => document.hidden && talk?.keepAll());
}

/* The beginning */

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Read the team's words; null when the chatbot does not answer. */
async function configured() {
  try {
    const response = await fetch("api/config", { redirect: "manual" });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

async function start() {
  const answered = await configured();
  if (!answered) return welcome.unreachable(start);
  config = answered;
  welcome.greet(config, say);
  // Two visitors of one browser see their own conversations only.
  store = await openStore(`chatbot:${location.pathname}:${config.visitor ?? ""}`, {
    former: `chatbot:${location.pathname}:${config.user ?? ""}`,
    hear: heard,
    warn: (trouble) => ($("trouble").textContent = trouble ? strings.trouble[trouble] : ""),
  });
  talk = new Talk(store, {
    newId, now: Date.now, began, ended, gone, settled: changed,
    grew: (id, run) => id === shown.id && thread.growOn(run),
  });
  keeping = new Keeping(store, talk, {
    changed,
    left: (id) => (id && id !== shown.id ? listing.draw() : go(null)),
    back: async ({ id, title }) => {
      await go(id);
      speak(strings.restored(title));
    },
  });
  listing = new Listing(store, { talk, keeping, go, speak, shown: () => shown.id });
  await open();
  if (early) composer.submit();
}

settings.begin();
fill();
attend();
start();
