/* Where the visitor writes, one draft for each conversation. */

const form = document.getElementById("composer");
const text = document.getElementById("text");
const send = document.getElementById("send");
const stop = document.getElementById("stop");

const drafts = new Map();
let place = null;
let waiting = false;

/** Begin to listen: `onSend(text)` returns whether it was taken; `onStop()`. */
export function begin({ onSend, onStop }) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const content = text.value.trim();
    if (!content || !onSend(content)) return;
    write("");
    focus(); /* a button that sent has nothing more to send */
  });
  text.addEventListener("keydown", (event) => {
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  text.addEventListener("input", fit);
  stop.addEventListener("click", onStop);
  fit();
}

/** Go to the draft of another conversation; what was written before there was any stays. */
export function turnTo(id) {
  if (id !== place && place !== null) {
    drafts.set(place, text.value);
    write(drafts.get(id) ?? "");
  }
  place = id;
}

/** Show that an answer grows: one of this page can be stopped, one of another tab is waited for. */
export function busy({ here, elsewhere }) {
  const held = document.activeElement === stop && !here;
  send.hidden = here;
  stop.hidden = !here;
  waiting = elsewhere;
  if (held) focus();
  fit();
}

/** Send what is written. */
export function submit() {
  form.requestSubmit();
}

/** Let the visitor write, unless that would bring up a keyboard over the page. */
export function focus() {
  if (!matchMedia("(pointer: coarse)").matches) text.focus();
}

function write(content) {
  text.value = content;
  fit();
}

/** Let the field grow with its text where the browser does not do so itself. */
function fit() {
  if (!CSS.supports("field-sizing", "content")) {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  }
  send.disabled = waiting || !text.value.trim();
}
