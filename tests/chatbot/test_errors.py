"""What goes wrong is told in plain words, with what to do, and with what was said until then."""

from __future__ import annotations

import datetime as dt
from functools import partial

import httpx2
import pytest
from chatbot.talking import HI, events, post
from chatbot.upstream import (
    BAD_TOKEN,
    BROKEN,
    FILTERED,
    FIREWALL,
    NO_CREDENTIAL,
    NO_DEPLOYMENT,
    NO_ROLE,
    NO_SUBDOMAIN,
    THROTTLED,
    TOO_LONG,
    Refuse,
    Say,
)
from chatbot_app.answering import Chat, Texts
from chatbot_app.app import WEB
from chatbot_app.completions import Completions, Model, Sampling
from chatbot_app.memory import Memory
from chatbot_app.routes import page
from chatbot_app.words import for_visitor

TEMPERATURE = Refuse(400, {"error": {"code": "unsupported_value", "message": "temperature"}})
SLOW_DOWN = {"code": "429", "message": "slow down"}
NO_TIME = Refuse(429, THROTTLED.body)


@pytest.fixture
def upstream(laptop):
    laptop[1].forget()
    return laptop[1]


@pytest.fixture
def chatbot(laptop, upstream):
    return laptop[0]


@pytest.mark.parametrize(
    ("answers", "reason", "words"),
    [
        ([THROTTLED], "Throttled", "again in 45 seconds"),
        ([NO_TIME], "Throttled", "again in a moment"),
        ([FILTERED], "ContentFiltered", "put it in other words"),
        ([NO_ROLE], "PermissionDenied", "up to ten minutes"),
        ([BAD_TOKEN], "TokenRejected", "did not accept this chatbot's sign-in"),
        ([NO_DEPLOYMENT], "DeploymentNotFound", "“gpt”"),
        ([FIREWALL], "NetworkDenied", "network rules"),
        ([NO_SUBDOMAIN], "SubdomainMissing", "custom subdomain"),
        ([TOO_LONG], "ContextTooLong", "shorten"),
        ([TEMPERATURE], "RequestRefused", "did not accept this request"),
        ([BROKEN, BROKEN], "ServiceError", "has a problem"),
    ],
)
def test_a_refusal_is_told_in_plain_words(chatbot, upstream, answers, reason, words):
    upstream.answers = list(answers)
    response = post(chatbot)
    assert response.status_code == 200
    error, done = events(response.text)
    assert error[0] == "error"
    assert error[1]["reason"] == reason
    assert words in error[1]["message"]
    assert "HTTP" not in error[1]["message"]
    assert done == ("done", {"finish": "error", "leftOut": 0, "sent": 1})
    assert upstream.answers == []


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [(THROTTLED, 45), (Refuse(429, THROTTLED.body, {"retry-after-ms": "1500"}), 1.5)],
)
def test_throttling_says_when_to_come_back(chatbot, upstream, answer, seconds):
    upstream.answers = [answer]
    assert dict(events(post(chatbot).text))["error"]["retryAfter"] == seconds


def test_without_a_time_to_wait_none_is_made_up(chatbot, upstream):
    upstream.answers = [NO_TIME]
    assert "retryAfter" not in dict(events(post(chatbot).text))["error"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Say(("Once ",), finish="content_filter"), "ContentFiltered"),
        (Say(("Once ",), finish=None, error={"code": "content_filter"}), "ContentFiltered"),
        (Say(("Once ",), finish=None, error=SLOW_DOWN), "Throttled"),
        (Say(("Once ",), finish=None, error={"code": "500"}), "ServiceError"),
        (Say(("Once ",), finish=None), "Interrupted"),
        (Say(("Once ",), dropped=True), "Interrupted"),
    ],
)
def test_what_was_said_before_an_error_stays_said(chatbot, upstream, said, reason):
    upstream.answers = [said]
    delta, *_, error, done = events(post(chatbot).text)
    assert delta == ("delta", {"text": "Once "})
    assert error[1]["reason"] == reason
    assert done[1]["finish"] == "error"
    assert len(upstream.chats) == 1


def test_an_answer_cut_off_at_its_limit_is_no_error(chatbot, upstream):
    upstream.answers = [Say(("Once upon",), finish="length")]
    told = events(post(chatbot).text)
    assert "error" not in dict(told)
    assert told[-1] == ("done", {"finish": "length", "leftOut": 0, "sent": 1})


def test_a_token_that_entra_refuses(launch, upstream):
    upstream.exchange = NO_CREDENTIAL
    try:
        error, _ = events(post(launch(OPS_PORT=None)).text)
    finally:
        upstream.exchange = None
    assert error[1]["reason"] == "ExchangeRefused"
    assert "does not accept this chatbot's identity yet" in error[1]["message"]
    assert "AADSTS" not in error[1]["message"]


async def test_a_model_that_takes_too_long(upstream, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    upstream.issued.add("token-1")
    upstream.answers = [Say(("", ""), pause=30)]

    async def token():
        return "token-1"

    patience = httpx2.Timeout(5, read=0.3)
    model = Completions(
        model=Model(upstream.address, "gpt"), sampling=Sampling(), token=token, timeout=patience
    )
    chat = Chat(
        texts=Texts("Ada"),
        deployment="gpt",
        system_prompt="",
        memory=Memory(),
        model=model,
        ended=lambda _: None,
        words=partial(for_visitor, deployment="gpt"),
        now=lambda: dt.datetime.now(dt.UTC),
    )
    inside = httpx2.ASGITransport(app=page(chat, web=WEB, local_only=False))
    async with httpx2.AsyncClient(transport=inside, base_url="http://chatbot") as client:
        error, done = events((await client.post("/api/chat", json=HI)).text)
    await model.close()
    assert error[1] == {"reason": "TimedOut", "message": "The model took too long to answer."}
    assert done[1]["finish"] == "error"
    assert len(upstream.chats) == 1
