"""`ask`: a question to a chatbot and its answer, or a conversation, in the terminal."""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from rich.text import Text

from chatbot_operator.cli.command import Code, Command, Report, UnansweredError
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.talk import chatbots, sign_in
from chatbot_operator.cli.talk.chat import Answer, Turn, Unheard, stream
from chatbot_operator.cli.talk.forward import HOST, listening
from chatbot_operator.cli.talk.way import Way
from chatbot_operator.words import legible, plain

FROM_STDIN: Final = "-"
_CUT_OFF: Final = {
    "length": "the answer is cut off: it has as many tokens as one may have",
    "content_filter": "the answer is cut off by Azure's content filter",
}


@dataclass(slots=True)
class Conversation:
    """A conversation with one chatbot: all that is remembered of it is here.

    `headers` gives those of a request, as they are at its time.
    """

    way: Way
    headers: Callable[[], Awaitable[Mapping[str, str]]]
    turns: list[Turn] = field(default_factory=list)

    async def ask(self, question: str, answer: Answer, told: Callable[[str], None]) -> None:
        """Ask, let `answer` take what comes, and tell each piece of text.

        It is remembered unless it failed. Raises UnansweredError where nobody answers.
        """
        turns, headers = [*self.turns, {"role": "user", "content": question}], await self.headers()
        troubles: list[str] = []
        async with listening(self.way.connected, troubles.append) as port:
            try:
                url = f"http://{HOST}:{port}"
                async with aclosing(stream(url, turns, headers)) as events:
                    async for said in events:
                        told(answer.take(said))
            except Unheard as error:
                raise UnansweredError("\n".join(troubles) or str(error)) from error
            finally:
                if answer.text and not answer.error:
                    self.turns = [*turns, {"role": "assistant", "content": answer.text}]


def arguments(parser: ArgumentParser) -> None:
    """Declare what `ask` takes."""
    parser.add_argument("name", metavar="NAME", help="the chatbot")
    parser.add_argument(
        "question",
        nargs="?",
        metavar="QUESTION",
        help="`-` reads it from standard input; without one, at a terminal: a conversation",
    )
    parser.add_argument(
        "--token-for",
        default="",
        metavar="AUDIENCE",
        help="the chatbot's app registration, where it takes tokens of Entra: it gets yours",
    )


async def run(arguments: Namespace, reach: Reach) -> Report | Code:
    """Ask, and show the answer as it comes; raises UnansweredError, KubernetesRefusal, Refusal."""
    as_json = arguments.output == "json"
    question = _question(arguments.question, as_json=as_json)
    chatbot = await chatbots.find(reach, arguments.name)
    headers = partial(sign_in.headers, chatbot, reach, arguments.token_for)
    await headers()
    way = Way(reach, chatbot)
    if not await way.look():
        raise chatbot.without_pods()
    conversation = Conversation(way, headers)
    if question is None:
        return await _converse(conversation, chatbot)
    if as_json:
        return await _document(conversation, chatbot, question)
    return await _shown(conversation, question)


async def _shown(conversation: Conversation, question: str) -> Code:
    answer = Answer()
    try:
        await conversation.ask(question, answer, _tell)
    finally:
        _end_line(answer)
    return _conclude(answer)


async def _document(conversation: Conversation, chatbot: chatbots.Meant, question: str) -> Report:
    answer, begun, first = Answer(), time.monotonic(), list[float]()

    def tell(piece: str) -> None:
        if piece and not first:
            first.append(time.monotonic())

    await conversation.ask(question, answer, tell)
    document: dict[str, Any] = {
        "chatbot": f"{chatbot.namespace}/{chatbot.name}",
        "pod": conversation.way.pod,
        "answer": answer.text,
        "finish": answer.finish or "error",
        "usage": dict(answer.usage),
        "seconds": round(time.monotonic() - begun, 3),
        "firstTextSeconds": round(first[0] - begun, 3) if first else None,
        "error": dict(answer.error) if answer.error else None,
    }
    code = Code.FOUND if answer.error else Code.FINE
    return Report(document, Text(), code)


async def _converse(conversation: Conversation, chatbot: chatbots.Meant) -> Code:
    """Ask whatever a person types, until they leave; Ctrl-C stops an answer."""
    with suppress(ImportError):  # lines can be edited and called back where it is there
        importlib.import_module("readline")
    _say(f"{chatbot.namespace}/{chatbot.name}: Ctrl-C stops an answer, Ctrl-D leaves.")
    code = Code.FINE
    while (question := _typed("> ")) is not None:
        if question.strip():
            code = await _answered(conversation, question)
    return code


async def _answered(conversation: Conversation, question: str) -> Code:
    answer = Answer()
    asking = asyncio.create_task(conversation.ask(question, answer, _tell))
    loop = asyncio.get_running_loop()
    with _interrupted(lambda: loop.call_soon_threadsafe(asking.cancel)):
        await asyncio.wait({asking})
    _end_line(answer)
    if asking.cancelled():
        _say("(stopped)")
        return Code.FINE
    if error := asking.exception():
        _say(f"kubectl chatbot: {error}")
        return Code.UNANSWERED
    return _conclude(answer)


def _question(given: str | None, *, as_json: bool) -> str | None:
    if given == FROM_STDIN:
        given = sys.stdin.read()
    elif given is None and sys.stdin.isatty() and not as_json:
        return None
    if given is None or not given.strip():
        raise UnansweredError('there is no question: put one after the name, in quotes, or "-"')
    return given


def _conclude(answer: Answer) -> Code:
    if answer.error:
        reason, message = answer.error.get("reason", "error"), answer.error.get("message", "")
        _say(f"{plain(str(reason))}: {plain(str(message))}")
        return Code.FOUND
    if answer.finish in _CUT_OFF:
        _say(f"({_CUT_OFF[answer.finish]})")
    return Code.FINE


def _tell(piece: str) -> None:
    sys.stdout.write(legible(piece))
    sys.stdout.flush()


def _end_line(answer: Answer) -> None:
    if answer.text and not answer.text.endswith("\n"):
        _tell("\n")


def _say(words: str) -> None:
    """Say what is no answer, where it cannot be taken for one."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def _typed(prompt: str) -> str | None:
    """Let a person type a line, None when they leave; the loop stands still meanwhile."""
    try:
        with _interrupted(None):
            return input(prompt)
    except (EOFError, KeyboardInterrupt):
        _tell("\n")
        return None


@contextmanager
def _interrupted(do: Callable[[], object] | None) -> Iterator[None]:
    """Have Ctrl-C do something else than to end the whole; None: raise KeyboardInterrupt."""
    handler = signal.default_int_handler if do is None else lambda *_: do()
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


ASK: Final = Command(
    "ask",
    "ask a chatbot, and show its answer as it comes",
    (
        'ask support "How do I reset my password?"',
        "ask support                       # a conversation; Ctrl-D leaves",
        "ask support - < question.txt",
    ),
    arguments,
    run,
    codes="It ends with 0 after an answer, 1 when the chatbot says why it has none, 2 when it was"
    " not reached.",
)
