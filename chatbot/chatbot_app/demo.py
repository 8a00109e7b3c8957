"""A stand-in for a language model, for trying the page without Azure and without a network.

It is no intelligence: it recalls what it was told, shows what the page can show, and says what it
is. The same conversation always gets the same answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chatbot_app.completions import Delta, Event, Finish, Sampling, Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

DISCLAIMER = (
    "Demo: a small program answers here, not a language model. Nothing leaves this machine."
)
PAUSE = 0.04
"""Seconds between pieces, about as fast as a model speaks."""
BYTES_PER_TOKEN = 4

_TOLD = re.compile(r"\bmy ([\w ]{1,40}?) (?:is|are) ([^.!?\n]{1,80})", re.IGNORECASE)
_ASKED = re.compile(r"\b(?:what|who|where|when)(?:'s| is| are) my ([\w ]{1,40})", re.IGNORECASE)

_TABLE = """\
Here is a table:

| Piece | What it does | Where |
|:------|:-------------|:------|
| page  | keeps your conversations | your browser |
| chatbot | asks the model, keeps nothing | this process |
| model | answers | in Azure, but for this demo |

> A table may be wider than the window; then it scrolls on its own.
"""

_CODE = """\
A chatbot can be asked from Python, too:

```python
import httpx2

question = {"messages": [{"role": "user", "content": "Hi"}]}
with httpx2.stream("POST", "http://localhost:8087/api/chat", json=question) as answer:
    for line in answer.iter_lines():
        print(line)
```

The button at its corner copies it. `inline code` looks like this.
"""

_LIST = """\
## What the page understands

1. **Bold**, *emphasis*, ~~what was struck out~~ and `code`
2. lists
   - in lists
   - of any depth
3. [links](https://learn.microsoft.com/azure/ai-services/openai/), which open in a tab of their own

Pictures from elsewhere are not fetched: ![a picture](https://example.com/picture.png)
"""

_SHOWN: Mapping[str, str] = {
    "table": _TABLE,
    "code": _CODE,
    "python": _CODE,
    "list": _LIST,
    "markdown": _LIST,
}

_OFFER = (
    'Ask for a **table**, some **code**, a **list** or something **long**, or tell me "My name is '
    'Ada" and ask later what it is.'
)


class Demo:
    """Answers like a model deployment, piece by piece."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep

    async def stream(
        self, messages: Sequence[dict[str, str]], wishes: Sampling
    ) -> AsyncGenerator[Event, None]:
        """Answer the last message; of the wishes, the length counts."""
        pieces = re.findall(r"\s*\S+", reply(messages))
        spoken = pieces[: wishes.max_output_tokens]
        for piece in spoken:
            await self._sleep(PAUSE)
            yield Delta(piece)
        heard = sum(len(message["content"].encode()) for message in messages)
        yield Usage(heard // BYTES_PER_TOKEN + 1, len(spoken))
        yield Finish("stop" if len(spoken) == len(pieces) else "length")


def reply(messages: Sequence[dict[str, str]]) -> str:
    """Answer the last message of a conversation, in Markdown."""
    said = [m["content"].replace("\u2019", "'") for m in messages if m["role"] == "user"]
    asked = said[-1]
    if question := _ASKED.search(asked):
        return _recalled(said, question[1])
    if told := _TOLD.search(asked):
        return f"I will keep in mind that your {told[1]} is **{told[2].strip()}**. Ask me later."
    words = re.findall(r"\w+", asked.lower())
    if shown := next((_SHOWN[word] for word in words if word in _SHOWN), None):
        return shown
    if "long" in words:
        return "\n\n".join(f"### Part {n}\n\n{_LIST}\n{_CODE}" for n in range(1, 11))
    if instructions := next((m["content"] for m in messages if m["role"] == "system"), ""):
        return f"My instructions are:\n\n{_quoted(instructions)}\n\n{_heard(said)}"
    return _heard(said)


def _recalled(said: Sequence[str], what: str) -> str:
    known = {found[1].lower(): found[2].strip() for text in said for found in _TOLD.finditer(text)}
    value = known.get(what.lower().strip())
    if value is None:
        return f"You have not told me what your {what.strip()} is, or it was left out."
    return f"Your {what.strip()} is **{value}**."


def _heard(said: Sequence[str]) -> str:
    count = "your first question" if len(said) == 1 else f"question {len(said)} that I was sent"
    return f"You wrote:\n\n{_quoted(said[-1])}\n\nThis is {count} of this conversation. {_OFFER}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.strip()[:500].splitlines())
