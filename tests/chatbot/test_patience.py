"""Visitors who hold a place for nothing, and answers that go wrong: a place is always free again."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json

import httpx2
import pytest
from chatbot.talking import HI, events
from chatbot.upstream import Say
from chatbot_app import posted, sse
from chatbot_app.answering import Chat, Texts
from chatbot_app.characters import whole
from chatbot_app.completions import Delta, Finish
from chatbot_app.memory import Memory
from chatbot_app.routes import page

HALF = "\ud83d"
BODY = {"type": "http.request", "body": json.dumps(HI).encode(), "more_body": False}


class Model:
    """Says `pieces`; raises those that are errors."""

    def __init__(self, *pieces) -> None:
        self.pieces = pieces
        self.said = 0
        self.ended = False

    async def stream(self, *_):
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                self.said += 1
                yield Delta(piece)
                await asyncio.sleep(0)
            yield Finish("stop")
        finally:
            self.ended = True


def chat_of(model):
    return Chat(
        texts=Texts("Test"),
        deployment="gpt",
        system_prompt="",
        memory=Memory(),
        model=model,
        ended=lambda _: None,
        words=lambda refusal: refusal.reason,
        now=lambda: dt.datetime(2026, 1, 31, tzinfo=dt.UTC),
    )


async def asked(chat, path, *, given, send, web):
    """Ask the application itself: `given` arrives, then nothing more does."""
    arriving = list(given)

    async def receive():
        if arriving:
            return arriving.pop(0)
        return await asyncio.Event().wait()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"host", b"chatbot")],
        "client": ("127.0.0.1", 1),
    }
    application = page(chat, web=web, local_only=False, openai=True)
    async with asyncio.timeout(10):
        await application(scope, receive, send)


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
async def test_a_body_that_never_ends_is_not_waited_for(monkeypatch, tmp_path, path):
    monkeypatch.setattr(posted, "ARRIVED_WITHIN", 0.05)
    chat, sent = chat_of(Model("Hello")), []

    async def send(message):
        sent.append(message)

    begun = BODY | {"more_body": True}
    await asked(chat, path, given=[begun], send=send, web=tmp_path)
    assert sent[0]["status"] == 408
    assert b"took too long to arrive" in sent[1]["body"]
    assert not chat.places.taken


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
async def test_whoever_takes_nothing_any_longer_has_left(monkeypatch, tmp_path, path):
    monkeypatch.setattr(sse, "TAKEN_WITHIN", 0.05)
    model = Model(*["word "] * 500)
    chat, sent = chat_of(model), []

    async def send(message):
        sent.append(message)
        if len(sent) > 2:
            await asyncio.Event().wait()

    openai = {"model": "chatbot", "stream": True}
    body = BODY | {"body": json.dumps(HI | (openai if path.startswith("/v1") else {})).encode()}
    await asked(chat, path, given=[body], send=send, web=tmp_path)
    assert len(sent) == 3
    assert model.said <= sse.MOST_AHEAD + 2
    assert model.ended
    assert not chat.places.taken


async def streamed(frames, *, ping_after=10.0, receive=None):
    """What is sent of the frames, until `receive` tells of a visitor who left."""
    sent = []

    async def send(message):
        sent.append(message)

    async def nothing():
        return await asyncio.Event().wait()

    async with asyncio.timeout(10):
        await sse.EventStream(frames, ping_after=ping_after)({}, receive or nothing, send)
    return sent


async def test_the_first_word_is_sent_at_once_and_what_comes_together_later_together():
    async def frames():
        yield b"a"
        yield b"b"
        yield b"c"
        await asyncio.sleep(0.05)
        yield b"d"
        yield b"e"

    bodies = [message["body"] for message in (await streamed(frames()))[1:]]
    assert bodies == [b"a", b"bc", b"de", b""]


async def test_a_question_goes_out_before_the_head_which_does_not_wait_for_the_answer():
    done, told = [], asyncio.Event()

    async def frames():
        await asyncio.sleep(0)
        done.append("asked")
        await told.wait()
        yield b"a"

    async def send(message):
        done.append(message["type"])
        told.set()

    async with asyncio.timeout(10):
        receive = asyncio.Event().wait
        await sse.EventStream(frames(), ping_after=10)({}, receive, send)
    assert done[:3] == ["asked", "http.response.start", "http.response.body"]


async def test_a_silence_is_pinged_and_no_word_lost_by_it():
    async def frames():
        yield b"a"
        await asyncio.sleep(0.25)
        yield b"b"

    bodies = [message["body"] for message in (await streamed(frames(), ping_after=0.1))[1:]]
    assert bodies == [b"a", sse.PING, sse.PING, b"b", b""]


async def test_a_visitor_who_leaves_ends_the_source_in_the_middle_of_a_silence():
    heard, left = asyncio.Event(), asyncio.Event()

    async def frames():
        try:
            yield b"a"
            await asyncio.sleep(0.05)
            heard.set()
            await asyncio.Event().wait()
        finally:
            left.set()

    async def receive():
        await heard.wait()
        return {"type": "http.disconnect"}

    sent = await streamed(frames(), receive=receive)
    assert left.is_set()
    assert [message.get("more_body") for message in sent] == [None, True]


@pytest.mark.parametrize("said", [0, 1])
async def test_an_error_nobody_thought_of_ends_the_answer(tmp_path, said):
    chat, sent = chat_of(Model(*["Hel"] * said, ArithmeticError())), []
    chat.ping_after = 0.5

    async def send(message):
        sent.append(message)

    with contextlib.suppress(ArithmeticError):
        await asked(chat, "/api/chat", given=[BODY], send=send, web=tmp_path)
    bodies = b"".join(message.get("body", b"") for message in sent)
    assert bodies.count(b"Hel") == said
    assert sse.PING not in bodies
    assert not any(m["type"] == "http.response.body" and not m["more_body"] for m in sent)
    assert not chat.places.taken


def test_half_a_character_is_shown_as_none(laptop):
    chatbot, upstream = laptop
    upstream.forget()
    upstream.answers = [Say((f"Oh {HALF}", "!"))]
    body = json.dumps({"messages": [{"role": "user", "content": f"Hi {HALF}"}]})
    headers = {"Content-Type": "application/json"}
    response = httpx2.post(f"{chatbot.page}api/chat", content=body, headers=headers)
    assert upstream.chats[-1]["messages"] == [{"role": "user", "content": "Hi \ufffd"}]
    told = "".join(data["text"] for name, data in events(response.text) if name == "delta")
    assert told == "Oh \ufffd!"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\ufeffé 😀", "\ufeffé 😀"),
        (f"é{HALF}", "é\ufffd"),
        (f"{HALF}é", "\ufffdé"),
        ("\ude00😀", "\ufffd😀"),
        (f"{HALF}\ude00", "😀"),
    ],
)
def test_what_is_whole_stays(text, shown):
    assert whole(text) == shown
