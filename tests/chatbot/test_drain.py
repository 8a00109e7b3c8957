"""A chatbot that is told to end while it answers: a whole process, as a rolling update ends it."""

from __future__ import annotations

import signal
import threading
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx2
import pytest
from chatbot.talking import HI, events, post, wait_until
from chatbot.upstream import Say

SIXTY = tuple(f"{n} " for n in range(60))


@pytest.fixture
def connect():
    """Open connections to a page and keep them open."""
    opened = []

    def connection(chatbot):
        opened.append(HTTPConnection(urlsplit(chatbot.page).netloc, timeout=30))
        opened[-1].connect()
        return opened[-1]

    yield connection
    for each in opened:
        each.close()


def served(connection):
    """Ask for the title on a connection that stays open."""
    connection.request("GET", "/api/config")
    response = connection.getresponse()
    response.read()
    return response.status == 200


def refused(chatbot, connect):
    try:
        connect(chatbot)
    except ConnectionRefusedError:
        return True
    return False


def answering(chatbot, upstream, answer, *, until):
    """Have a visitor ask; give the thread, and the list into which the answer's stream goes."""
    upstream.answers = [answer]
    texts = []
    visitor = threading.Thread(target=lambda: texts.append(post(chatbot).text), daemon=True)
    visitor.start()
    wait_until(lambda: upstream.pieces_sent >= until)
    return visitor, texts


def test_an_answer_of_which_a_sixth_is_said_is_said_to_its_end(launch, upstream, connect):
    chatbot = launch()
    chatbot.until("Proven")
    idle = connect(chatbot)
    assert served(idle)
    visitor, texts = answering(chatbot, upstream, Say(SIXTY, pause=0.1), until=10)

    chatbot.popen.send_signal(signal.SIGTERM)
    assert served(connect(chatbot)), "a node that has not heard yet"
    wait_until(lambda: chatbot.readyz()[0] == 503)
    assert chatbot.readyz()[1]["reason"] == "Proven"
    wait_until(lambda: refused(chatbot, connect))
    assert upstream.streaming == 1, "nobody new comes while the last answer is said"
    assert idle.sock.recv(1) == b""

    visitor.join(timeout=60)
    (*said, end) = events(texts[0])
    assert [data["text"] for name, data in said if name == "delta"] == list(SIXTY)
    assert (end[0], end[1]["finish"]) == ("done", "stop")
    assert chatbot.popen.wait(timeout=20) == 0


def test_connections_that_say_nothing_hold_no_chatbot_up(launch, connect):
    chatbot = launch()
    chatbot.until("Proven")
    assert served(connect(chatbot))
    chatbot.popen.send_signal(signal.SIGTERM)
    while not refused(chatbot, connect):
        pass  # browsers connect in advance, up to the last moment
    assert chatbot.popen.wait(timeout=20) == 0


def test_a_person_at_a_terminal_waits_for_no_long_answer(launch, upstream):
    chatbot = launch(OPS_PORT=None)
    upstream.answers = [Say(("word ",) * 1000, pause=0.1)]
    with httpx2.stream("POST", f"{chatbot.page}api/chat", json=HI, timeout=60) as response:
        pieces = response.iter_text()  # held: its end would end the stream
        assert "word" in next(pieces)
        chatbot.popen.send_signal(signal.SIGINT)
        assert chatbot.popen.wait(timeout=20) == 0
    wait_until(lambda: not upstream.streaming)
