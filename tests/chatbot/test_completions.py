"""The client of the model, against Azure's own frames and error bodies on a real socket."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import httpx2
import pytest
from chatbot.upstream import (
    BAD_TOKEN,
    BROKEN,
    FILTERED,
    FIREWALL,
    KEYS_CLOSED,
    NO_DEPLOYMENT,
    NO_ROLE,
    NO_SUBDOMAIN,
    THROTTLED,
    TOO_LONG,
    Refuse,
    Say,
)
from chatbot_app.completions import Completions, Delta, Finish, Model, Sampling, Usage, _lines
from chatbot_app.reasons import ChatReason, Reason, Refusal, RefusedError

HELLO = [{"role": "user", "content": "Hi"}]


@pytest.fixture
async def model(upstream, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    upstream.issued.add("token-1")
    made = completions(upstream)
    yield made
    await made.close()


def completions(upstream, *, sampling=None, endpoint=None):
    async def token():
        return "token-1"

    async def sleep(_):
        pass

    return Completions(
        model=Model(endpoint or upstream.address, "gpt"),
        sampling=sampling or Sampling(),
        token=token,
        sleep=sleep,
    )


async def answer(model):
    return [event async for event in model.stream(HELLO)]


async def test_an_answer_is_pieces_usage_and_a_finish(model, upstream):
    assert await answer(model) == [Delta("Hel"), Delta("lo."), Usage(12, 2), Finish("stop")]
    assert upstream.chats == [
        {
            "model": "gpt",
            "messages": HELLO,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


async def test_the_next_answer_comes_on_the_same_connection(model, upstream):
    await answer(model)
    await answer(model)
    first, second = upstream.connections
    assert first == second


async def test_sampling_is_sent_only_when_it_is_set(upstream, model):
    chosen = completions(
        upstream, sampling=Sampling(temperature=0.0, top_p=0.9, max_output_tokens=50)
    )
    await answer(chosen)
    await chosen.close()
    assert upstream.chats[0]["temperature"] == 0.0
    assert upstream.chats[0]["top_p"] == 0.9
    assert upstream.chats[0]["max_completion_tokens"] == 50


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (NO_ROLE, Reason.PERMISSION_DENIED),
        (BAD_TOKEN, Reason.TOKEN_REJECTED),
        (KEYS_CLOSED, Reason.TOKEN_REJECTED),  # a gateway that has replaced the token by a key
        (FIREWALL, Reason.NETWORK_DENIED),
        (NO_DEPLOYMENT, Reason.DEPLOYMENT_NOT_FOUND),
        (NO_SUBDOMAIN, Reason.SUBDOMAIN_MISSING),
        (FILTERED, ChatReason.CONTENT_FILTERED),
        (TOO_LONG, ChatReason.CONTEXT_TOO_LONG),
        (Refuse(400, {"error": {"code": "x", "message": "y"}}), ChatReason.REQUEST_REFUSED),
        (Refuse(418, {}), Reason.SERVICE_ERROR),
    ],
)
async def test_a_refusal_has_its_reason_and_is_not_repeated(model, upstream, body, reason):
    upstream.answers = [body]
    (event,) = await answer(model)
    assert isinstance(event, Refusal)
    assert event.reason is reason
    assert len(upstream.chats) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "45"}, 45),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"x-rate-limit-reset-tokens": "55"}, 55),
        ({"Retry-After": "Sat, 31 Jan 2026 12:00:00 GMT"}, None),
        ({}, None),
    ],
)
async def test_throttling_is_told_at_once_with_the_time_to_wait(model, upstream, headers, wait):
    upstream.answers = [Refuse(429, THROTTLED.body, headers)]
    (event,) = await answer(model)
    assert event.reason is Reason.THROTTLED
    assert event.retry_after == wait
    assert len(upstream.chats) == 1


async def test_a_passing_error_is_tried_once_more(model, upstream):
    upstream.answers = [BROKEN]
    assert Finish("stop") in await answer(model)
    assert len(upstream.chats) == 2


async def test_a_lasting_error_is_told(model, upstream):
    upstream.otherwise = lambda _: BROKEN
    (event,) = await answer(model)
    assert event.reason is Reason.SERVICE_ERROR
    assert len(upstream.chats) == 2


async def test_an_account_that_cannot_be_reached_is_told(model, upstream):
    upstream.stop()
    (event,) = await answer(model)
    assert event.reason is Reason.ENDPOINT_UNREACHABLE


@pytest.mark.parametrize(
    ("said", "end"),
    [
        (Say(("a",), finish="length"), Finish("length")),
        (Say(("a",), finish="content_filter"), Refusal(ChatReason.CONTENT_FILTERED)),
        (
            Say(("a",), finish=None, error={"code": "429", "message": "slow down"}),
            Refusal(Reason.THROTTLED),
        ),
    ],
)
async def test_an_answer_may_end_in_its_middle(model, upstream, said, end):
    upstream.answers = [said]
    events = await answer(model)
    assert events[0] == Delta("a")
    assert events[-1] == end


async def test_a_stream_that_breaks_off_is_not_taken_for_a_whole_answer(model, upstream):
    upstream.answers = [Say(("a",), finish=None)]
    events = await answer(model)
    assert events[-1].reason is ChatReason.INTERRUPTED
    assert len(upstream.chats) == 1


async def test_leaving_the_stream_ends_the_call_upstream(model, upstream):
    upstream.answers = [Say(("a",) * 1000, pause=0.05)]
    async with aclosing(model.stream(HELLO)) as events:
        assert await anext(events) == Delta("a")
    while upstream.streaming:
        await asyncio.sleep(0.01)
    assert upstream.aborted == 1


async def test_a_token_that_cannot_be_had_is_told(upstream, model):
    async def refused():
        raise RefusedError(Refusal(Reason.EXCHANGE_REFUSED, "AADSTS70025"))

    without = Completions(model=Model(upstream.address, "gpt"), sampling=Sampling(), token=refused)
    (event,) = await answer(without)
    await without.close()
    assert event == Refusal(Reason.EXCHANGE_REFUSED, "AADSTS70025")
    assert upstream.chats == []


async def test_the_proof_reads_with_the_very_token_it_is_given(model, upstream):
    upstream.issued.add("fresh")
    await model.prove("fresh")
    assert upstream.reads == ["fresh"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (NO_ROLE, Reason.PERMISSION_DENIED),
        (BAD_TOKEN, Reason.TOKEN_REJECTED),
        (FIREWALL, Reason.NETWORK_DENIED),
        (NO_SUBDOMAIN, Reason.SUBDOMAIN_MISSING),
        (THROTTLED, Reason.THROTTLED),
        (BROKEN, Reason.SERVICE_ERROR),
        (
            Refuse(404, {"error": {"code": "404", "message": "Resource not found"}}),
            Reason.SERVICE_ERROR,
        ),
        (Refuse(400, {"error": {"code": "x", "message": "y"}}), Reason.SERVICE_ERROR),
    ],
)
async def test_a_failed_proof_has_a_reason_of_the_contract(model, upstream, body, reason):
    upstream.models = body
    with pytest.raises(RefusedError) as caught:
        await model.prove("token-1")
    assert caught.value.refusal.reason is reason
    assert len(upstream.reads) == 1


async def test_a_proof_without_a_server_finds_the_endpoint_unreachable(model, upstream):
    upstream.stop()
    with pytest.raises(RefusedError) as caught:
        await model.prove("token-1")
    assert caught.value.refusal.reason is Reason.ENDPOINT_UNREACHABLE


async def test_a_line_ends_where_the_stream_says_and_nowhere_else():
    separated = 'data: {"text": "a\u2028b\x85c"}'
    response = httpx2.Response(200, content=f"{separated}\n\ndata: [DONE]".encode())
    lines = [line async for line in _lines(response)]
    assert lines == [separated.encode(), b"", b"data: [DONE]"]
