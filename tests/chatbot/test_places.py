"""How many answers at once: in all, for a name, for an address."""

from __future__ import annotations

import contextlib

import httpx2
import pytest
from chatbot.talking import HI, post, wait_until
from chatbot.upstream import Say
from chatbot_app.places import Places, Visitor
from chatbot_app.reasons import ChatReason

ADA, EVE = Visitor("ada", signed_in=True), Visitor("eve", signed_in=True)
PROXY = Visitor("10.0.0.1", signed_in=False)


def taken(places, *visitors):
    held = contextlib.ExitStack()
    for visitor in visitors:
        assert places.refuse(visitor) is None
        held.enter_context(places.one(visitor))
    return held


def test_a_visitor_has_so_many_and_another_one_has_as_many():
    places = Places(at_once=10, per_user=2)
    with taken(places, ADA, ADA, EVE):
        assert places.refuse(ADA).reason is ChatReason.TOO_MANY_AT_ONCE
        assert places.refuse(EVE) is None
    assert places.refuse(ADA) is None
    assert not places.taken


def test_all_together_have_so_many():
    places = Places(at_once=3, per_user=2)
    with taken(places, ADA, ADA, EVE):
        refusal = places.refuse(EVE)
        assert (refusal.reason, refusal.retry_after) == (ChatReason.BUSY, 2)


def test_an_address_may_have_half_because_many_may_share_it():
    places = Places(at_once=10, per_user=2)
    with taken(places, *[PROXY] * 5):
        assert places.refuse(PROXY).reason is ChatReason.TOO_MANY_AT_ONCE
        assert places.refuse(ADA) is None


def test_a_name_is_no_address():
    places = Places(at_once=10, per_user=1)
    with taken(places, Visitor("10.0.0.1", signed_in=True)):
        assert places.refuse(PROXY) is None


@pytest.fixture
def chatbot(launch):
    return launch(
        OPS_PORT=None,
        ACCESS_USER_HEADER="X-User",
        ACCESS_TRUSTED_PEERS="127.0.0.1/32",
        CHAT_ANSWERS_AT_ONCE="3",
        CHAT_ANSWERS_PER_USER="2",
    )


@contextlib.contextmanager
def asking(chatbot, user):
    url, headers = f"{chatbot.page}api/chat", {"X-User": user}
    with httpx2.stream("POST", url, json=HI, headers=headers, timeout=60) as response:
        yield response.status_code


def test_one_more_is_refused_in_words_until_another_ends(chatbot, upstream):
    upstream.otherwise = lambda _: Say(("a",) * 1000, pause=0.05)
    with asking(chatbot, "ada"), asking(chatbot, "ada"):
        wait_until(lambda: upstream.streaming == 2)
        mine = post(chatbot, **{"X-User": "ada"})
        with asking(chatbot, "eve") as status:
            everybody = post(chatbot, **{"X-User": "bob"})
    assert status == 200
    assert (mine.status_code, mine.json()["reason"]) == (429, "TooManyAtOnce")
    assert mine.headers["retry-after"] == "5"
    assert mine.json()["retryAfter"] == 5
    assert "stop one of them" in mine.json()["message"]
    assert (everybody.status_code, everybody.json()["reason"]) == (429, "Busy")
    upstream.otherwise = lambda _: Say(("a",))
    wait_until(lambda: post(chatbot, **{"X-User": "ada"}).status_code == 200)


def test_a_place_that_was_only_asked_for_is_free_again(chatbot):
    for _ in range(5):
        assert post(chatbot, {"messages": []}, **{"X-User": "ada"}).status_code == 400
    assert post(chatbot, **{"X-User": "ada"}).status_code == 200


def test_the_page_is_told_who_is_signed_in(chatbot):
    config = httpx2.get(f"{chatbot.page}api/config", headers={"X-User": "ada"})
    assert config.json()["user"] == "ada"
