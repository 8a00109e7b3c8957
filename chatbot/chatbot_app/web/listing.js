/* The list of the sidebar: all conversations by age, or those that a search finds. */

import { look, wordsOf } from "./search.js";
import { strings } from "./strings.js";
import * as list from "./views/list.js";

const PAUSE = 120; /* milliseconds without a key before a search begins */
const field = document.getElementById("search");

/** Keep the list in step with a store; `shown()` gives the id of the conversation that is shown. */
export class Listing {
  #store;
  #page;

  constructor(store, page) {
    this.#store = store;
    this.#page = page;
    field.addEventListener("input", () => this.#search());
    field.addEventListener("keydown", (event) => this.#press(event));
  }

  /** Draw it as it is now; tell how many there are. */
  async draw() {
    const query = this.#query();
    const options = (heading, opener) => this.#page.keeping.openMenu(heading, opener);
    const how = { query, options, current: this.#page.shown() };
    return query ? this.#drawFound(how) : this.#drawAll(how);
  }

  #query() {
    return field.value.trim();
  }

  async #drawAll(how) {
    const { talk } = this.#page;
    const headings = await this.#store.list();
    const growing = new Set(headings.map(({ id }) => id).filter((id) => talk.growing(id)));
    if (!this.#query()) list.draw(headings, { ...how, now: Date.now(), growing });
    return headings.length;
  }

  async #drawFound(how) {
    const words = wordsOf(how.query);
    const results = await this.#store.collect((conversation) => look(conversation, words));
    if (how.query === this.#query()) list.drawFound(results, how);
    return results.length;
  }

  #search() {
    const query = this.#query();
    setTimeout(async () => {
      if (query !== this.#query()) return;
      const count = await this.draw();
      if (query) this.#page.speak(count ? strings.found(count) : strings.nothingFound(query));
    }, PAUSE);
  }

  #press(event) {
    if (event.isComposing) return;
    if (event.key === "Escape" && field.value) field.value = "";
    else if (event.key === "ArrowDown") list.focusFirst();
    else if (event.key === "Enter" && list.first()) this.#page.go(list.first());
    else return;
    event.preventDefault();
    this.draw();
  }
}
