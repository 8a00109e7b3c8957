"""The chat: what is asked, what is answered, who may ask."""

from __future__ import annotations

import json
import socket

import httpx2
import pytest
from chatbot.talking import HI, events, post, wait_until
from chatbot.upstream import Say
from chatbot_app.app import WEB


@pytest.fixture
def upstream(laptop):
    laptop[1].forget()
    return laptop[1]


@pytest.fixture
def chatbot(laptop, upstream):
    return laptop[0]


def test_an_answer_streams_as_events(chatbot):
    response = post(chatbot)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"
    assert events(response.text) == [
        ("delta", {"text": "Hel"}),
        ("delta", {"text": "lo."}),
        ("usage", {"promptTokens": 12, "completionTokens": 2, "window": None}),
        ("done", {"finish": "stop", "leftOut": 0, "sent": 1}),
    ]


def test_pieces_arrive_while_the_model_still_speaks(chatbot, upstream):
    upstream.answers = [Say(("a",) * 50, pause=0.1)]
    with httpx2.stream("POST", f"{chatbot.page}api/chat", json=HI, timeout=60) as response:
        pieces = response.iter_text()  # held: its end would end the stream
        assert "delta" in next(pieces)
        assert upstream.streaming == 1


def test_the_memory_is_what_the_browser_posts(chatbot, upstream):
    turns = [
        {"role": "user", "content": "I am Ada."},
        {"role": "assistant", "content": "Hello Ada."},
        {"role": "user", "content": "Who am I?"},
    ]
    post(chatbot, {"messages": turns})
    assert upstream.chats[-1]["messages"] == turns


def test_one_visitor_never_meets_the_words_of_another(chatbot, upstream):
    post(chatbot, {"messages": [{"role": "user", "content": "My secret is 42."}]})
    post(chatbot, {"messages": [{"role": "user", "content": "What is the secret?"}]})
    assert "42" not in json.dumps(upstream.chats[-1])


def test_a_visitor_who_leaves_ends_the_call_upstream(chatbot, upstream):
    upstream.answers = [Say(("a",) * 1000, pause=0.05)]
    with httpx2.stream("POST", f"{chatbot.page}api/chat", json=HI) as response:
        next(response.iter_text())
    wait_until(lambda: not upstream.streaming)
    assert upstream.aborted == 1


def test_a_visitor_who_leaves_before_the_first_word_ends_the_call_too(chatbot, upstream):
    upstream.answers = [Say(("",), pause=60)]
    host, port = chatbot.page.removeprefix("http://").strip("/").split(":")
    body = json.dumps(HI)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"POST /api/chat HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        wait_until(lambda: upstream.streaming)
    wait_until(lambda: not upstream.streaming)
    assert upstream.aborted == 1


def test_only_its_own_page_and_programs_may_ask(chatbot, upstream):
    for headers, status in (
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ):
        assert post(chatbot, **headers).status_code == status, headers
    assert len(upstream.chats) == 3


def test_a_body_has_a_limit(chatbot, upstream):
    body = {"messages": [{"role": "user", "content": "x" * 2**20}]}
    assert post(chatbot, body).status_code == 413
    assert upstream.chats == []


def test_a_body_that_is_no_json_is_refused_in_words(chatbot):
    for content in (b"{", b"\xff", b"[" * 100_000):
        response = httpx2.post(
            f"{chatbot.page}api/chat",
            content=content,
            headers={"Content-Type": "application/json"},
        )
        assert response.status_code == 400
        assert "JSON" in response.json()["message"]


def test_every_response_carries_the_strict_headers(chatbot):
    for path in ("", "app.js", "styles/base.css", "api/config", "nothing"):
        headers = httpx2.get(f"{chatbot.page}{path}").headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert policy.endswith("require-trusted-types-for 'script'; trusted-types 'none'")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-dns-prefetch-control"] == "off"


def test_the_page_asks_nobody_else(chatbot):
    for path in WEB.iterdir():
        text = httpx2.get(f"{chatbot.page}{path.name}").text
        assert 'src="http' not in text
        assert "url(" not in text
        assert "innerHTML" not in text


def test_the_title_is_shown(chatbot):
    assert httpx2.get(f"{chatbot.page}api/config").json() == {
        "title": "Ask Ada",
        "welcome": "",
        "starters": [],
        "disclaimer": "",
        "user": None,
        "visitor": None,
        "demo": False,
    }
