"""A pod's word, which may be a lie."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import asynccontextmanager, suppress
from dataclasses import astuple

import pytest
from chatbot_operator.kube.pods import BODY_LIMIT, PodNetwork, parse
from chatbot_operator.manifests import OPS_PORT
from chatbot_operator.ports import Presented, Readiness
from hypothesis import example, given
from hypothesis import strategies as st

PROVEN = {"reason": "Proven", "message": "It answered.", "provenAt": "2026-01-31T12:00:00Z"}
READ = Readiness("Proven", "It answered.", "2026-01-31T12:00:00Z")

TEXT = st.text(st.characters(), max_size=600)  # lone surrogates among them
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("reason", "message", "provenAt", "trace"), JSON | TEXT),
        "presented": JSON
        | st.fixed_dictionaries(dict.fromkeys(("issuer", "subject", "audience"), TEXT | JSON)),
    },
)


def read(document):
    return parse(json.dumps(document).encode())


def well_behaved(found):
    assert found is None or isinstance(found, Readiness)
    if found is not None:
        assert len(found.reason) <= 64
        assert len(found.message) <= 256
        assert len(found.proven_at) <= 20
        assert len(found.trace) <= 64
        claims = astuple(found.presented) if found.presented else ()
        assert all(0 < len(claim) <= 600 for claim in claims)
        for text in (found.reason, found.message, found.proven_at, found.trace, *claims):
            assert text.isprintable()
            text.encode()
    return True


def test_a_readiness_document_is_read():
    assert read(PROVEN) == READ
    assert read({"reason": "Starting", "message": "", "provenAt": None}) == Readiness(
        "Starting", "", ""
    )


CLAIMS = {"issuer": "https://i/", "subject": "s", "audience": "a"}


@pytest.mark.parametrize(
    ("more", "presented", "trace"),
    [
        ({"presented": CLAIMS, "trace": "0a-1"}, Presented("https://i/", "s", "a"), "0a-1"),
        (
            {"presented": {**CLAIMS, "subject": "s\n\u202e"}},
            Presented("https://i/", "s  ", "a"),
            "",
        ),
        ({"presented": {**CLAIMS, "audience": None}}, None, ""),
        ({"presented": {**CLAIMS, "audience": ["a"]}}, None, ""),
        ({"presented": {**CLAIMS, "audience": ""}}, None, ""),
        ({"presented": {"issuer": "i"}}, None, ""),
        ({"presented": "https://i/"}, None, ""),
        ({"trace": "no spaces"}, None, ""),
        ({"trace": 7}, None, ""),
    ],
)
def test_what_a_pod_presents_is_read_whole_or_not_at_all(more, presented, trace):
    found = read({**PROVEN, **more})
    assert (found.presented, found.trace) == (presented, trace)


@given(st.binary(max_size=BODY_LIMIT))
@example(b"[" * BODY_LIMIT)
@example(b'{"reason":' * (BODY_LIMIT // 10))
@example(b"1" * BODY_LIMIT)
@example(b'{"reason": "x", "message": "\\ud800"}')
@example(b'{"reason": "x", "message": "\\ufffe\\u202e\\u2028\\u0085"}')
@example(b"\xff\xfe{\x00")
@example(b"NaN")
def test_any_bytes_are_survived(body):
    assert well_behaved(parse(body))


@given(DOCUMENTS)
@example({"reason": "x" * 4000, "message": "m" * 4000, "provenAt": "2026-01-31T12:00:00Z\n"})
@example({"reason": "\x1b[31mred", "message": "\x1b[31mred\x7f\r\n"})
def test_what_is_read_is_short_and_printable(document):
    assert well_behaved(read(document))


@pytest.mark.parametrize("document", [[], "Proven", None, 7, {}, {"reason": 1}, {"reason": None}])
def test_what_is_no_document_is_none(document):
    assert read(document) is None


@pytest.mark.parametrize(
    "time",
    [
        "yesterday",
        "2026-01-31T12:00:00+00:00",
        "2026-01-31T12:00:00Z; rm",
        "2026-02-30T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-01-31T24:00:01Z",
        "2026-01-31T12:60:00Z",
        "0000-01-01T00:00:00Z",
        "２０２６-01-31T12:00:00Z",
        1769860800,
        {},
        "９" * 4,
    ],
)
def test_a_time_that_is_none_proves_nothing(time):
    found = read({**PROVEN, "provenAt": time})
    assert found is not None
    assert found.proven_at == ""


def test_words_in_any_language_stay():
    assert read({"reason": "x", "message": "Zugriff verweigert: für 例 🙂"}).message == (
        "Zugriff verweigert: für 例 🙂"
    )


@asynccontextmanager
async def pod(*parts):
    """A pod that answers these bytes, part by part, and hangs up; gives its own address."""
    ended = asyncio.Event()

    async def answer(reader, writer):
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        ended.set()

    numbers = [1 + secrets.randbelow(254) for _ in range(3)]
    address = "127.{}.{}.{}".format(*numbers)
    async with await asyncio.start_server(answer, address, OPS_PORT):
        yield address
        await ended.wait()


BODY = json.dumps(PROVEN).encode()
HEAD = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: %d\r\n\r\n" % len(BODY)


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([HEAD + BODY], READ),
        ([HEAD, BODY[:9], BODY[9:]], READ),
        ([b"HTTP/1.1 200 OK\r\n\r\n" + BODY], READ),
        ([b"HTTP/1.1 200 OK\r\n\r\n" + BODY + b" " * 10_000_000], READ),
        ([b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b"], None),
        ([b"SSH-2.0-OpenSSH_9.6\r\n"], None),
        ([b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n"], None),
        ([HEAD + BODY[:9]], None),
        ([], None),
    ],
    ids=[
        "whole",
        "in parts",
        "until closed",
        "endless",
        "packed",
        "not http",
        "head",
        "cut off",
        "silent",
    ],
)
async def test_a_pod_is_asked_over_the_network(parts, found):
    async with pod(*parts) as address, PodNetwork() as network:
        assert await network.readiness(address) == found


async def test_a_pod_cannot_send_the_operator_elsewhere():
    async with pod(HEAD + BODY) as elsewhere, PodNetwork() as network:
        to = f"HTTP/1.1 302 Found\r\nlocation: http://{elsewhere}:{OPS_PORT}/readyz\r\n\r\n"
        async with pod(to.encode()) as address:
            assert await network.readiness(address) is None
        assert await network.readiness(elsewhere) == READ


async def test_a_pod_that_is_gone_gives_no_answer():
    async with PodNetwork() as network:
        assert await network.readiness("127.213.57.99") is None
