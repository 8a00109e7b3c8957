/* Where conversations are kept: IndexedDB of this browser, for this address and this visitor.
 *
 * A change is a function from a conversation to a conversation. It is applied to what is stored, in
 * one transaction, so two tabs never overwrite each other. What cannot be stored (a temporary chat, a
 * browser that refuses, a full disk) is held in memory: nothing here fails, and the page goes on.
 */

const VERSION = 1;
const KEPT = ["conversations", "headings"];

/** Open the store; what is kept under its `former` name is taken over, once; `hear(id)` is called when another tab changed a conversation (null: many),
 * `warn("refused" | "full" | "newer" | null)` when storing begins to fail, or works again: "newer"
 * where a later version of the page keeps what is stored. */
export async function openStore(name, { former, hear, warn }) {
  let database = null;
  try {
    database = await openDatabase(name);
  } catch (error) {
    warn(error?.name === "VersionError" ? "newer" : "refused");
  }
  if (database && former !== name) await takeOver(former, database).catch(() => {});
  return new Store(database, channel(name, hear), warn);
}

function openDatabase(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, VERSION);
    request.onupgradeneeded = () => {
      for (const each of KEPT) request.result.createObjectStore(each, { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** What fails here is tried again with the next visit: nothing is deleted before it is copied. */
async function takeOver(former, database) {
  const known = await indexedDB.databases();
  if (!known.some(({ name }) => name === former)) return;
  const earlier = await openDatabase(former);
  const reading = earlier.transaction(KEPT);
  const found = await Promise.all(
    KEPT.map((each) => answered(reading.objectStore(each).getAll())));
  earlier.close();
  await new Promise((resolve, reject) => {
    const writing = database.transaction(KEPT, "readwrite");
    writing.oncomplete = resolve;
    writing.onabort = () => reject(writing.error);
    KEPT.forEach((each, at) => found[at].forEach((one) => writing.objectStore(each).put(one)));
  });
  indexedDB.deleteDatabase(former);
}

function channel(name, hear) {
  try {
    const opened = new BroadcastChannel(name);
    opened.onmessage = ({ data }) => hear(data?.id ?? null);
    return opened;
  } catch {
    return { postMessage() {} };
  }
}

class Store {
  #database;
  #channel;
  #warn;
  #held = new Map();
  #known = new Map();
  #turn = Promise.resolve();

  constructor(database, opened, warn) {
    this.#database = database;
    this.#channel = opened;
    this.#warn = warn;
    if (database) database.onversionchange = () => this.#giveWay();
  }

  /** A tab with a later version of the page waits to take over what is stored. */
  #giveWay() {
    this.#database.close();
    this.#database = null;
    this.#warn("newer");
  }

  /** List {id, title, changed} of all conversations but temporary ones, newest first. */
  async list() {
    const stored = await this.#read((transaction) =>
      answered(transaction.objectStore("headings").getAll()));
    const byId = new Map((stored ?? []).map((heading) => [heading.id, heading]));
    for (const each of this.#held.values()) {
      if (!each.temporary) byId.set(each.id, headingOf(each));
    }
    return [...byId.values()].sort((a, b) => b.changed - a.changed);
  }

  /** Read a conversation; undefined if there is none. */
  async get(id) {
    const held = this.#held.get(id);
    if (held) return held;
    const stored = await this.#read((transaction) =>
      answered(transaction.objectStore("conversations").get(id)));
    if (stored) this.#known.set(id, stored);
    return stored;
  }

  /** Read all of them but temporary ones, newest first; `look` says what is taken of each. */
  async collect(look) {
    const found = [];
    const take = (conversation) => {
      const taken = look(conversation);
      if (taken) found.push({ taken, changed: conversation.changed });
    };
    await this.#read((transaction) => {
      const cursor = transaction.objectStore("conversations").openCursor();
      return walked(cursor, (stored) => this.#held.has(stored.id) || take(stored));
    });
    for (const held of this.#held.values()) {
      if (!held.temporary) take(held);
    }
    return found.sort((a, b) => b.changed - a.changed).map(({ taken }) => taken);
  }

  /** Keep a conversation that is new here, or that comes back. */
  put(conversation) {
    return this.#inTurn(() => this.#keep(conversation));
  }

  /** Change a conversation and return it; null if it is gone. */
  change(id, change) {
    return this.#inTurn(() => {
      const held = this.#held.get(id);
      if (held) return this.#keep(change(held));
      return this.#write(id, (stored) => stored && change(stored));
    });
  }

  /** Delete a conversation. */
  remove(id) {
    return this.#inTurn(async () => {
      this.#held.delete(id);
      this.#known.delete(id);
      await this.#alter((stores) => stores.forEach((store) => store.delete(id)));
      this.#channel.postMessage({ id });
    });
  }

  /** Delete all conversations. */
  clear() {
    return this.#inTurn(async () => {
      this.#held.clear();
      this.#known.clear();
      await this.#alter((stores) => stores.forEach((store) => store.clear()));
      this.#channel.postMessage({ id: null });
    });
  }

  /** One after the other: what failed to be stored is held before the next change looks for it. */
  #inTurn(work) {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #keep(conversation) {
    if (conversation.temporary) this.#held.set(conversation.id, conversation);
    else await this.#write(conversation.id, () => conversation);
    return conversation;
  }

  async #write(id, change) {
    let changed = null;
    let same = false;
    const work = ([conversations, headings]) => {
      conversations.get(id).onsuccess = ({ target }) => {
        changed = change(target.result) ?? null;
        same = changed === target.result;
        if (!changed || same) return;
        conversations.put(changed);
        headings.put(headingOf(changed));
      };
    };
    const held = this.#held.get(id);
    this.#held.delete(id);
    if (await this.#alter(work)) {
      if (changed) this.#known.set(id, changed);
      if (changed && !same) this.#channel.postMessage({ id });
      return changed;
    }
    changed ??= change(held ?? this.#known.get(id)) ?? null;
    if (changed) this.#held.set(id, changed);
    return changed;
  }

  /** Change what is stored, all of it or nothing; tell whether that worked. */
  async #alter(work) {
    if (!this.#database) return false;
    try {
      await new Promise((resolve, reject) => {
        const transaction = this.#database.transaction(KEPT, "readwrite");
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
        work(KEPT.map((name) => transaction.objectStore(name)));
      });
    } catch (error) {
      this.#warn(error?.name === "QuotaExceededError" ? "full" : "refused");
      return false;
    }
    if (![...this.#held.values()].some(({ temporary }) => !temporary)) this.#warn(null);
    return true;
  }

  async #read(ask) {
    if (!this.#database) return undefined;
    try {
      return await ask(this.#database.transaction(KEPT));
    } catch {
      this.#warn("refused");
      return undefined;
    }
  }
}

function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function walked(request, visit) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor) return resolve();
      visit(cursor.value);
      cursor.continue();
    };
    request.onerror = () => reject(request.error);
  });
}

function headingOf({ id, title, changed }) {
  return { id, title, changed };
}
