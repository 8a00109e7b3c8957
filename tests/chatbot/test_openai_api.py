"""The interface for OpenAI's clients, by the very client of Python."""

from __future__ import annotations

import json

import httpx2
import openai
import pytest
from chatbot.conftest import unprobed
from chatbot.talking import wait_until
from chatbot.upstream import (
    BROKEN,
    FILTERED,
    NO_DEPLOYMENT,
    NO_ROLE,
    THROTTLED,
    TOO_LONG,
    Refuse,
    Say,
)

HI = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module")
def laptop_with_api(authority, tmp_path_factory):
    """One chatbot with the interface for the tests that change nothing of it."""
    with unprobed(authority, tmp_path_factory.mktemp("api"), CHAT_API="openai") as running:
        yield running


@pytest.fixture
def shared(laptop_with_api):
    laptop_with_api[1].forget()
    return laptop_with_api[1]


@pytest.fixture
def chatbot(laptop_with_api, shared):
    return laptop_with_api[0]


@pytest.fixture
def client(chatbot):
    with openai.OpenAI(base_url=f"{chatbot.page}v1", api_key="any", max_retries=0) as made:
        yield made


def ask(client, **given):
    return client.chat.completions.create(**({"model": "chatbot", "messages": HI} | given))


def asked(upstream):
    return upstream.chats[-1]


def test_an_answer(client, shared):
    completion = ask(client)
    (choice,) = completion.choices
    assert (choice.message.role, choice.message.content) == ("assistant", "Hello.")
    assert choice.finish_reason == "stop"
    assert (completion.model, completion.object) == ("gpt", "chat.completion")
    assert completion.id.startswith("chatcmpl-")
    assert completion.created > 1_700_000_000
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (12, 2, 14)
    assert completion.model_extra["memory"] == {"left_out": 0, "sent": 1}
    assert asked(shared)["messages"] == HI


def test_a_stream(client):
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    *said, end, last = chunks
    assert said[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].delta.content for chunk in said] == ["", "Hel", "lo."]
    assert end.choices[0].finish_reason == "stop"
    assert (last.choices, last.usage.total_tokens) == ([], 14)
    assert len({chunk.id for chunk in chunks}) == 1


def test_usage_is_streamed_only_when_it_is_wanted(client):
    assert all(chunk.usage is None for chunk in ask(client, stream=True))


def test_a_stream_arrives_while_the_model_still_speaks(client, shared):
    shared.answers = [Say(("a",) * 50, pause=0.1)]
    with ask(client, stream=True) as chunks:
        next(iter(chunks))
        assert shared.streaming == 1
    wait_until(lambda: shared.aborted == 1)


async def test_the_asynchronous_client_streams_too(chatbot):
    async with openai.AsyncOpenAI(base_url=f"{chatbot.page}v1", api_key="any") as client:
        stream = await client.chat.completions.create(model="gpt", messages=HI, stream=True)
        assert "".join([c.choices[0].delta.content or "" async for c in stream]) == "Hello."


@pytest.mark.parametrize("stream", [True, False])
def test_whoever_leaves_before_the_first_word_ends_the_call(client, shared, stream):
    shared.answers = [Say(("",), pause=60)]
    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.5), stream=stream)
    wait_until(lambda: not shared.streaming)
    assert shared.aborted == 1


def test_the_models(client):
    assert [model.id for model in client.models.list()] == ["gpt", "chatbot"]
    assert client.models.retrieve("chatbot").id == "chatbot"
    with pytest.raises(openai.NotFoundError, match="no such model"):
        client.models.retrieve("gpt-9")


def test_a_model_that_is_not_this_chatbot(client, shared):
    with pytest.raises(openai.NotFoundError, match="“gpt” or “chatbot”") as caught:
        ask(client, model="gpt-9")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert shared.chats == []


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "case",
    [
        ([THROTTLED], openai.RateLimitError, "rate_limit_exceeded"),
        ([FILTERED], openai.BadRequestError, "content_filter"),
        ([TOO_LONG], openai.BadRequestError, "context_length_exceeded"),
        ([Refuse(400, {"error": {"code": "x"}})], openai.BadRequestError, "RequestRefused"),
        ([NO_ROLE], openai.InternalServerError, "PermissionDenied"),
        ([NO_DEPLOYMENT], openai.InternalServerError, "DeploymentNotFound"),
        ([BROKEN, BROKEN], openai.InternalServerError, "ServiceError"),
    ],
)
def test_an_error_before_the_first_word_has_its_status(client, shared, stream, case):
    answers, kind, code = case
    shared.answers = list(answers)
    with pytest.raises(kind) as caught:
        ask(client, stream=stream)
    assert caught.value.code == code


def test_throttling_says_when_to_come_back(client, shared):
    shared.answers = [THROTTLED]
    with pytest.raises(openai.RateLimitError, match="in 45 seconds") as caught:
        ask(client)
    assert caught.value.response.headers["retry-after"] == "45"
    assert caught.value.type == "rate_limit_error"


def test_an_error_in_the_middle_ends_a_stream(client, shared):
    shared.answers = [Say(("a",), finish=None)]
    heard = []
    with pytest.raises(openai.APIError, match="broke off"):
        heard.extend(chunk.choices[0].delta.content for chunk in ask(client, stream=True))
    shared.answers = [Say(("a",), finish=None)]
    with pytest.raises(openai.InternalServerError, match="broke off"):
        ask(client)


def test_what_the_filter_cuts_off_ends_there(client, shared):
    cut = Say(("Once",), finish="content_filter")
    shared.answers = [cut, cut]
    (choice,) = ask(client).choices
    assert (choice.finish_reason, choice.message.content) == ("content_filter", "Once")
    *_, end = ask(client, stream=True)
    assert end.choices[0].finish_reason == "content_filter"


def test_an_answer_cut_off_at_its_limit(client, shared):
    shared.answers = [Say(("Once",), finish="length")]
    assert ask(client).choices[0].finish_reason == "length"


def test_the_chatbots_instructions_are_the_only_ones(launch, upstream, tmp_path):
    prompt = tmp_path / "prompt"
    prompt.write_text("Be brief.")
    chatbot = launch(OPS_PORT=None, CHAT_API="openai", SYSTEM_PROMPT_FILE=str(prompt))
    client = openai.OpenAI(base_url=f"{chatbot.page}v1", api_key="any", max_retries=0)
    ask(client)
    assert asked(upstream)["messages"] == [{"role": "system", "content": "Be brief."}, *HI]
    for role in ("system", "developer"):
        with pytest.raises(openai.BadRequestError, match="instructions of its own") as caught:
            ask(client, messages=[*HI, {"role": role, "content": "Obey."}, *HI])
        assert caught.value.param == "messages[1].role"
    assert len(upstream.chats) == 1


def test_what_is_wished_is_done_within_the_chatbots_limits(launch, upstream):
    chatbot = launch(
        OPS_PORT=None, CHAT_API="openai", TEMPERATURE="0.2", TOP_P="0.9", MAX_OUTPUT_TOKENS="50"
    )
    client = openai.OpenAI(base_url=f"{chatbot.page}v1", api_key="any", max_retries=0)
    ask(client, temperature=1.5, max_tokens=5000, stop="END", user="ada", n=1, seed=None)
    sent = asked(upstream)
    assert (sent["temperature"], sent["top_p"], sent["stop"]) == (1.5, 0.9, ["END"])
    assert sent["max_completion_tokens"] == 50
    assert sent.keys().isdisjoint({"user", "n", "max_tokens", "seed"})
    ask(client, max_completion_tokens=7)
    assert asked(upstream)["max_completion_tokens"] == 7


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"top_p": "much"}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": True}, "max_completion_tokens"),
        ({"stop": [""]}, "stop"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"n": 2}, "n"),
        ({"seed": 1}, "seed"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "messages"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content",
        ),
        ({"messages": [{"role": [], "content": "Hi"}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"text": []}]}]}, "messages"),
        ({"functions\udc00": []}, "functions\ufffd"),
        (
            {"messages": [{"role": "assistant", "content": "", "tool_calls": [{}]}, *HI]},
            "messages[0].tool_calls",
        ),
    ],
)
def test_what_would_not_be_done_is_refused(chatbot, given, param):
    body = {"model": "chatbot", "messages": HI} | given
    refused = httpx2.post(
        f"{chatbot.page}v1/chat/completions",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == param
    assert refused.json()["error"]["type"] == "invalid_request_error"


def test_text_may_come_in_parts(client, shared):
    parts = [{"type": "text", "text": "How "}, {"type": "text", "text": "much?"}]
    ask(client, messages=[{"role": "user", "content": parts}])
    assert asked(shared)["messages"] == [{"role": "user", "content": "How much?"}]


def test_the_body_has_the_pages_limit_and_type(chatbot):
    url = f"{chatbot.page}v1/chat/completions"
    long = {"model": "gpt", "messages": [{"role": "user", "content": "x" * 2**20}]}
    assert httpx2.post(url, json=long).status_code == 413
    plain = httpx2.post(url, content=json.dumps(long), headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415
    refused = httpx2.post(url, content=b"{", headers={"Content-Type": "application/json"})
    assert refused.json()["error"]["message"] == "The request is not valid JSON."


def test_a_page_of_another_site_may_not_ask(chatbot):
    url, body = f"{chatbot.page}v1/chat/completions", {"model": "gpt", "messages": HI}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert httpx2.post(url, json=body, headers=headers).status_code == 403


def test_the_sign_in_holds_for_programs(launch):
    chatbot = launch(
        OPS_PORT=None,
        CHAT_API="openai",
        ACCESS_USER_HEADER="X-User",
        ACCESS_TRUSTED_PEERS="127.0.0.1/32",
    )
    client = openai.OpenAI(base_url=f"{chatbot.page}v1", api_key="any", max_retries=0)
    with pytest.raises(openai.AuthenticationError, match="sign in"):
        ask(client)
    with pytest.raises(openai.AuthenticationError):
        client.models.list()
    signed_in = client.with_options(default_headers={"X-User": "ada"})
    assert ask(signed_in).choices[0].message.content == "Hello."


def test_the_budget_of_the_day_holds_and_is_not_tried_again(launch, upstream):
    chatbot = launch(OPS_PORT=None, CHAT_API="openai", DAILY_TOKEN_BUDGET="14")
    with openai.OpenAI(base_url=f"{chatbot.page}v1", api_key="any", max_retries=2) as client:
        ask(client)
        with pytest.raises(openai.RateLimitError, match="used up") as caught:
            ask(client)
    assert caught.value.code == "insufficient_quota"
    assert caught.value.response.request.headers["x-stainless-retry-count"] == "0"
    assert int(caught.value.response.headers["retry-after"]) > 0
    assert len(upstream.chats) == 1


def test_answers_at_once_are_limited(launch, upstream):
    chatbot = launch(OPS_PORT=None, CHAT_API="openai", CHAT_ANSWERS_AT_ONCE="1")
    upstream.otherwise = lambda _: Say(("a",) * 1000, pause=0.05)
    with openai.OpenAI(base_url=f"{chatbot.page}v1", api_key="any", max_retries=0) as client:
        with ask(client, stream=True) as chunks:
            next(iter(chunks))
            with pytest.raises(openai.RateLimitError):
                ask(client)
        upstream.otherwise = lambda _: Say(("a",))
        patient = client.with_options(max_retries=5)
        assert ask(patient).choices[0].message.content == "a"


def test_it_is_off_unless_it_is_turned_on(launch, upstream):
    chatbot = launch(OPS_PORT=None)
    client = openai.OpenAI(base_url=f"{chatbot.page}v1", api_key="any", max_retries=0)
    with pytest.raises(openai.NotFoundError, match="turn it on"):
        ask(client)
    with pytest.raises(openai.NotFoundError, match="turn it on"):
        client.models.list()
    assert upstream.chats == []


def test_what_is_not_there_is_told(client):
    with pytest.raises(openai.NotFoundError, match="nothing else"):
        client.embeddings.create(model="gpt", input="Hi")
