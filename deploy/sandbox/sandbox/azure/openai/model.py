"""The sandbox's own language model: a pure function from a conversation to Markdown.

It is no intelligence, but a partner a person can test a chatbot with: it remembers what it was
told, quotes the conversation, follows its instructions visibly and answers the same way each time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation, localcontext
from operator import add, mul, sub, truediv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

INSTRUCTION_ROLES = frozenset({"system", "developer"})
"""Roles whose text tells the model how to behave; `developer` is the newer name of `system`."""


ATTENTION = 2_000
"""Characters of a user's message that the model reads."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation: who said it, and its text."""

    role: str
    text: str


def answer(messages: Sequence[Message], model: str) -> str:
    """Answer the last user message in Markdown, speaking as the model of that name."""
    conversation = _read(messages, model)
    replies = (reply(conversation) for reply in _REPLIES)
    return next((reply for reply in replies if reply is not None), _echo(conversation))


@dataclass(frozen=True, slots=True)
class _Conversation:
    model: str
    instructions: str
    earlier: tuple[str, ...]
    asked: str


def _read(messages: Sequence[Message], model: str) -> _Conversation:
    instructions = (m.text.strip() for m in messages if m.role in INSTRUCTION_ROLES)
    said = [_heard(m.text) for m in messages if m.role == "user"] or [""]
    return _Conversation(
        model=model,
        instructions=next((text.splitlines()[0] for text in instructions if text), ""),
        earlier=tuple(said[:-1]),
        asked=said[-1],
    )


def _heard(text: str) -> str:
    # Typographic apostrophes are what phones type; the cut keeps the expressions below fast.
    return text.strip()[:ATTENTION].replace("\u2019", "'")


_RECALL = re.compile(
    r"(?=.*\bwhat\b)(?=.*\b(?:ask|asked|say|said|question|message|wrote)\b).*\b(first|last)\b",
    re.IGNORECASE,
)
_MODEL = re.compile(r"\b(?:which|what) (?:language )?model\b", re.IGNORECASE)
_WHO = re.compile(r"\b(?:who|what) are you\b|\byour (?:instructions|role|job)\b", re.IGNORECASE)
_STATEMENT = re.compile(
    r"(?:please )?(?:(?P<told>remember)(?: that)?:? )?"
    r"(?P<what>\S.{0,80}?) (?:is|are) (?P<value>.+?)[.!]*",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"(?:what|who|where|when)(?:'s| is| are| was) (?P<what>.+?)\s*\?*", re.IGNORECASE
)
_TIMES = "\u00d7"
_NUMBER = r"(-?\d{1,15}(?:\.\d{1,6})?)"
_SUM = re.compile(
    rf"(?:what(?:'s| is)|how much is|calculate|compute)?\s*{_NUMBER}\s*"
    rf"(\+|-|\*|{_TIMES}|x|/|÷|plus|minus|times|divided by)\s*{_NUMBER}\s*=?\s*[?.]*",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"(?:hello|hi|hey|good (?:morning|afternoon|evening))\b.{0,40}", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")

_OPERATORS: Mapping[str, tuple[str, Callable[[Decimal, Decimal], Decimal]]] = {
    **dict.fromkeys(("+", "plus"), ("+", add)),
    **dict.fromkeys(("-", "minus"), ("-", sub)),
    **dict.fromkeys(("*", _TIMES, "x", "times"), (_TIMES, mul)),
    **dict.fromkeys(("/", "÷", "divided by"), ("÷", truediv)),
}


def _recall(talk: _Conversation) -> str | None:
    found = _RECALL.match(talk.asked)
    if found is None:
        return None
    if not talk.earlier:
        return "This is the first thing you have asked me."
    which = found[1].lower()
    quoted = talk.earlier[0] if which == "first" else talk.earlier[-1]
    return f"Your {which} message was:\n\n{_quote(quoted)}"


def _name_the_model(talk: _Conversation) -> str | None:
    if not _MODEL.search(talk.asked):
        return None
    return f"I answer as **{talk.model}**, played by the sandbox's built-in model."


def _introduce(talk: _Conversation) -> str | None:
    if not _WHO.search(talk.asked):
        return None
    if not talk.instructions:
        return "I am a chatbot in the sandbox. Nobody has given me instructions yet."
    return f"These are my instructions, and I follow them:\n\n{_quote(talk.instructions)}"


def _acknowledge(talk: _Conversation) -> str | None:
    facts = _facts([talk.asked])
    if not facts:
        return None
    if "my name" in facts:
        return f"Nice to meet you, **{facts['my name']}**! I will remember your name."
    what, value = next(iter(facts.items()))
    return f"I will remember that {_from_my_side(what)} is **{value}**."


def _remember(talk: _Conversation) -> str | None:
    question = _QUESTION.fullmatch(_sentences(talk.asked)[-1])
    if question is None:
        return None
    what = question["what"].lower()
    value = _facts(talk.earlier).get(_key(what))
    mine = _from_my_side(what)
    if value is not None:
        return f"{mine[0].upper()}{mine[1:]} is **{value}**."
    return f"You have not told me {mine} yet." if what.startswith("my ") else None


def _calculate(talk: _Conversation) -> str | None:
    found = _SUM.fullmatch(talk.asked)
    if found is None:
        return None
    sign, apply = _OPERATORS[found[2].lower()]
    left, right = Decimal(found[1]), Decimal(found[3])
    with localcontext() as context:
        context.prec = 40
        try:
            shown = f"{round(apply(left, right), 6):f}"
        except (DivisionByZero, InvalidOperation):
            return "Nothing can be divided by zero."
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return f"{left} {sign} {right} = **{shown}**"


def _show_code(talk: _Conversation) -> str | None:
    if not _mentions(talk.asked, "code"):
        return None
    return (
        "Here is a small program:\n\n```python\n"
        'def greet(name: str) -> str:\n    return f"Hello, {name}!"\n\n\nprint(greet("sandbox"))\n'
        "```\n\nIt prints `Hello, sandbox!`."
    )


def _show_table(talk: _Conversation) -> str | None:
    if not _mentions(talk.asked, "table"):
        return None
    rows = "\n".join(f"| {n} | {n * n} | {n**3} |" for n in range(1, 6))
    return f"Numbers and their powers:\n\n| n | square | cube |\n|---|---:|---:|\n{rows}"


def _tell_at_length(talk: _Conversation) -> str | None:
    if not _mentions(talk.asked, "long"):
        return None
    return "\n\n".join(
        f"### Part {n}\n\nThis is part {n} of a long answer. It goes on for a while, so that you "
        "can watch it arrive word by word, scroll while it grows, and stop it whenever you like."
        for n in range(1, 21)
    )


def _greet(talk: _Conversation) -> str | None:
    if not _GREETING.fullmatch(talk.asked):
        return None
    name = _facts(talk.earlier).get("my name")
    return f"Hello again, **{name}**!" if name else "Hello! How can I help you?"


def _echo(talk: _Conversation) -> str:
    guided = f"\n\nMy instructions begin: *{talk.instructions}*" if talk.instructions else ""
    return (
        f"You wrote:\n\n{_quote(talk.asked[:300])}\n\n"
        f"That was message {len(talk.earlier) + 1} of our conversation. I am the sandbox's "
        "built-in model: tell me something to remember, or ask for *code*, a *table*, a *long* "
        f"answer or a sum.{guided}"
    )


_REPLIES: tuple[Callable[[_Conversation], str | None], ...] = (
    _recall,
    _name_the_model,
    _introduce,
    _acknowledge,
    _remember,
    _calculate,
    _show_code,
    _show_table,
    _tell_at_length,
    _greet,
)


def _facts(texts: Iterable[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        for sentence in _sentences(text):
            told = _STATEMENT.fullmatch(sentence)
            if told and (told["told"] or told["what"].lower().startswith("my ")):
                found[_key(told["what"])] = told["value"]
    return found


def _sentences(text: str) -> list[str]:
    return _SENTENCE_END.split(text.strip())


def _key(what: str) -> str:
    return re.sub(r"^(?:the|an?) ", "", what.lower())


def _from_my_side(what: str) -> str:
    return re.sub(r"\bmy\b", "your", what)


def _mentions(text: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", text, re.IGNORECASE) is not None


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())
