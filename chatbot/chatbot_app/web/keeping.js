/* What a visitor does with whole conversations: name, delete, save as files, bring back. */

import { rename } from "./conversation.js";
import { strings } from "./strings.js";
import { allToMarkdown, fileName, parse, toJson, toMarkdown, UnreadableError } from "./transfer.js";
import { askName, confirm } from "./views/dialogs.js";
import { save } from "./views/files.js";
import { openMenu } from "./views/menu.js";
import { toast } from "./views/toast.js";

const NAMES = strings.exportNames;

/** Do it by way of a store and of what talks; `changed(conversation)`, `left(id)` (null: all) and
 * `back(conversation)` are called for who shows them.
 */
export class Keeping {
  #store;
  #talk;
  #told;

  constructor(store, talk, told) {
    this.#store = store;
    this.#talk = talk;
    this.#told = told;
  }

  /** Open the menu of a conversation under a button. */
  openMenu({ id, title, temporary = false }, opener) {
    const exports = [
      [strings.exportMarkdown, () => this.#export(id, "md")],
      [strings.exportJson, () => this.#export(id, "json")],
    ];
    openMenu(opener, temporary ? exports : [
      [strings.rename, () => askName(strings.renameTitle, title, (name) => this.#rename(id, name))],
      ...exports,
      [strings.remove, () => this.#remove(id), "wrong"],
    ]);
  }

  /** Save all conversations as one file, "md" or "json". */
  async exportAll(kind) {
    const all = await this.#store.collect((conversation) => conversation);
    if (!all.length) return toast(strings.nothingToExport);
    save(`${strings.allName}.${kind}`, kind === "md" ? allToMarkdown(all, NAMES) : toJson(all));
  }

  /** Add the conversations of a file; those that are here already stay as they are. */
  async importFile(file) {
    let conversations;
    try {
      conversations = parse(await file.text());
    } catch (error) {
      return toast(strings.unreadable[error instanceof UnreadableError ? error.message : "unread"]);
    }
    let added = 0;
    for (const conversation of conversations) {
      if (await this.#store.get(conversation.id)) continue;
      await this.#store.put(conversation);
      added += 1;
    }
    this.#told.changed(null);
    toast(strings.imported(added, conversations.length - added));
  }

  /** Delete all conversations, after asking. */
  removeAll() {
    confirm(strings.removeAllTitle, strings.removeAllText, strings.removeAllNow, async () => {
      await this.#talk.stopAll();
      await this.#store.clear();
      await this.#told.left(null);
      toast(strings.removedAll);
    });
  }

  async #rename(id, name) {
    const renamed = await this.#store.change(id, (conversation) => rename(conversation, name));
    this.#told.changed(renamed);
  }

  async #export(id, kind) {
    const conversation = await this.#store.get(id);
    if (!conversation) return;
    const text = kind === "md" ? toMarkdown(conversation, NAMES) : toJson([conversation]);
    save(fileName(conversation.title, kind), text);
  }

  async #remove(id) {
    await this.#talk.stop(id);
    const removed = await this.#store.get(id);
    if (!removed) return;
    await this.#store.remove(id);
    await this.#told.left(id);
    toast(strings.removed(removed.title), [strings.undo, async () => {
      await this.#store.put(removed);
      await this.#told.back(removed);
    }]);
  }
}
