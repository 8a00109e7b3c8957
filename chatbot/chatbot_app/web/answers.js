/* One answer from the server, as it arrives. */

import { strings } from "./strings.js";

const { errors } = strings;

/** Yield {name, data} for every event; an error is an event too. Throws only when aborted. */
export async function* ask(messages, signal) {
  let response;
  try {
    response = await fetch("api/chat", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages }),
      redirect: "manual",
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    yield failure("Unreachable", errors.unreachable);
    return;
  }
  if (!response.ok) {
    yield { name: "error", data: await refusal(response) };
    return;
  }
  try {
    for await (const event of events(response.body)) {
      yield event;
      if (event.name === "done") return;
    }
  } catch (error) {
    signal.throwIfAborted();
  }
  yield failure("Interrupted", errors.brokenOff);
}

function failure(reason, message) {
  return { name: "error", data: { reason, message } };
}

async function refusal(response) {
  // A redirect leads to the page of a proxy that signs visitors in.
  if (response.type === "opaqueredirect") return { reason: "SignedOut", message: errors.signedOut };
  const retryAfter = Number(response.headers.get("retry-after")) || undefined;
  try {
    const { reason, message } = await response.json();
    if (typeof message === "string") return { reason, message, retryAfter };
  } catch {
    /* not ours: a proxy answered */
  }
  return { reason: "Unreachable", message: errors.unreachableStatus(response.status), retryAfter };
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const frames = (rest + value).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(frame) ?? [];
      if (name) yield { name, data: JSON.parse(data) };
    }
  }
}
