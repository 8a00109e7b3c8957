/* Files that the visitor saves. */

import { make } from "./dom.js";

const TYPES = { json: "application/json", md: "text/markdown" };

/** Let the browser save a text as a file; its name ends in md or json. */
export function save(name, text) {
  const type = TYPES[name.split(".").pop()];
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = make("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
