/* What tabs of one browser owe each other: who writes an answer holds a lock while it grows. */

/** Do work while holding a lock; where locks are missing or refused, just do it. */
export async function holding(name, work) {
  let begun = false;
  const once = () => {
    begun = true;
    return work();
  };
  try {
    return await navigator.locks.request(name, once);
  } catch (error) {
    if (begun) throw error;
    return work();
  }
}

/** Wait until nobody holds a lock: its work is done, or the page that did it is gone. */
export async function released(name) {
  try {
    await navigator.locks.request(name, { mode: "shared" }, () => {});
  } catch {
    /* Without locks (a page that is not served over TLS) nobody is known to hold one. */
  }
}
