/* What is asked and shown above the page. */

import { current, set } from "../settings.js";
import { strings } from "../strings.js";
import { button, make } from "./dom.js";

/** Open a dialog that is closed by Escape, by its buttons, and by a click beside it. */
function open(title, ...children) {
  const heading = make("h2", { id: "dialog-title" }, title);
  const box = make("div", {}, heading, ...children);
  const dialog = make("dialog", { "aria-labelledby": "dialog-title" }, box);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function closer(label = strings.close) {
  return button(label, ({ currentTarget }) => currentTarget.closest("dialog").close());
}

/** Ask for a conversation's name. */
export function askName(title, name, rename) {
  const field = make("input", { id: "name", maxlength: 200, value: name, autocomplete: "off" });
  const form = make("form", {}, make("label", { for: "name" }, strings.name), field,
    make("div", { class: "choices" }, closer(strings.cancel),
      make("button", { type: "submit", class: "loud" }, strings.save)));
  const dialog = open(title, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    rename(field.value);
  });
  field.select();
}

/** Ask before something that cannot be taken back. */
export function confirm(title, text, label, act) {
  const dialog = open(title, make("p", {}, text),
    make("div", { class: "choices" }, closer(strings.cancel), button(label, () => {
      dialog.close();
      act();
    }, { class: "loud wrong" })));
}

/** Show the settings; `hands` exports all (as "md" or "json"), imports a file, and deletes all. */
export function showSettings(user, hands) {
  const file = make("input", { type: "file", accept: ".json,application/json", hidden: true });
  file.addEventListener("change", () => {
    dialog.close();
    hands.importFile(file.files[0]);
  });
  const closing = (act) => () => {
    dialog.close();
    act();
  };
  const dialog = open(strings.settings,
    themes(),
    make("h3", {}, strings.yourConversations),
    make("p", {}, strings.whereKept),
    make("div", { class: "stack" },
      button(strings.exportAllMarkdown, closing(() => hands.exportAll("md"))),
      button(strings.exportAllJson, closing(() => hands.exportAll("json"))),
      button(strings.importFile, () => file.click()), file,
      button(strings.removeAll, closing(() => hands.removeAll()), { class: "quiet wrong" })),
    user ? make("p", { class: "user-name" }, strings.signedIn(user)) : null,
    make("div", { class: "choices" },
      button(strings.shortcuts, closing(showShortcuts)), closer()));
}

function themes() {
  const choices = Object.entries(strings.themes).map(([value, label]) =>
    make("label", {},
      make("input", {
        type: "radio",
        name: "theme",
        value,
        checked: current().theme === value,
        onchange: () => set({ theme: value }),
      }), label));
  return make("fieldset", { class: "themes" },
    make("legend", {}, strings.appearance), make("div", {}, ...choices));
}

/** Show the keyboard shortcuts. */
export function showShortcuts() {
  if (document.querySelector("dialog[open]")) return;
  const rows = strings.shortcutList.map(([keys, meaning]) => make("div", {},
    make("dt", {}, ...keys.split(/(?<=.)(\+)(?=.)/).map((key) => (key === "+" ? key : make("kbd", {}, key)))),
    make("dd", {}, meaning)));
  const questionMark = make("input", {
    type: "checkbox",
    checked: current().questionMark,
    onchange: ({ target }) => set({ questionMark: target.checked }),
  });
  open(strings.shortcuts,
    make("dl", { class: "keys" }, ...rows),
    make("label", { class: "check" }, questionMark, strings.questionMark),
    make("div", { class: "choices" }, closer()));
}
