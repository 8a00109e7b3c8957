/* Scrolling: the page follows the answer only while the reader is at its end. */

const page = document.documentElement;
const latest = document.getElementById("latest");
const NEAR = 64;

let atEnd = true;

/** Notice where the reader is. */
export function look() {
  atEnd = page.scrollHeight - innerHeight - scrollY < NEAR;
  latest.hidden = atEnd;
}

/** Go to the end. */
export function go() {
  scrollTo({ top: page.scrollHeight });
  look();
}

/** Stay at the end, if that is where the reader is. */
export function keepUp() {
  if (atEnd) go();
  else look();
}

addEventListener("scroll", look, { passive: true });
addEventListener("resize", look);
