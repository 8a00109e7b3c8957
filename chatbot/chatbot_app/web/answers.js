/* One answer from the server, as it arrives. */

const UNREACHABLE = "The chatbot could not be reached. Check your connection and try again.";
const BROKEN_OFF = "The connection to the chatbot broke off in the middle of the answer.";

/** Yield {name, data} for every event; an error is an event too. Throws only when aborted. */
export async function* ask(messages, signal) {
  let response;
  try {
    response = await fetch("api/chat", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages }),
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    yield failure("Unreachable", UNREACHABLE);
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
  yield failure("Interrupted", BROKEN_OFF);
}

function failure(reason, message) {
  return { name: "error", data: { reason, message } };
}

async function refusal(response) {
  try {
    const { reason, message } = await response.json();
    if (typeof message === "string") return { reason, message };
  } catch {
    /* not ours: a proxy answered */
  }
  return { reason: "Unreachable", message: `${UNREACHABLE} (HTTP ${response.status})` };
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
