"""Entra's keys: had before anybody asks, renewed when they change, kept while Entra is away."""

from __future__ import annotations

import asyncio

import pytest
from chatbot.directory import TENANT, Key
from chatbot.simulated import Time, settle
from chatbot.upstream import Upstream
from chatbot_app.access.keys import PAUSE, RENEW_EVERY, Keys, Published, entra
from chatbot_app.reasons import Reason, Refusal, RefusedError
from chatbot_app.trust import trust

DOWN = RefusedError(Refusal(Reason.AUTHORITY_UNREACHABLE, "HTTP 503"))


class Source:
    """Publishes what it is told to, or fails; a closed gate keeps a fetch in flight."""

    def __init__(self) -> None:
        self.kids = ["first"]
        self.down = False
        self.fetches = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Published:
        self.fetches += 1
        await self.gate.wait()
        if self.down:
            raise DOWN
        return Published(frozenset({"issuer"}), dict.fromkeys(self.kids, object()))


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def world():
    return Time()


@pytest.fixture
def keys(source, world):
    return Keys(source, clock=world.clock, sleep=world.sleep, random=lambda: 0.5)


@pytest.fixture
async def kept(keys):
    keeper = asyncio.create_task(keys.keep())
    await settle()
    yield keys
    keeper.cancel()


async def found(keys, kid):
    return await keys.find(kid) is not None


async def test_they_are_there_before_anybody_asks(kept, source):
    assert source.fetches == 1
    assert await found(kept, "first")
    assert (await kept.find("first"))[1] == {"issuer"}
    assert source.fetches == 1


async def test_they_are_renewed_every_hour_and_withdrawn_ones_are_gone(kept, source, world):
    source.kids = ["second"]
    await world.pass_by(RENEW_EVERY - 1)
    assert await found(kept, "first")
    await world.pass_by(2)
    assert source.fetches == 2
    assert await found(kept, "second")
    assert not await found(kept, "first")


async def test_a_new_one_is_found_when_a_token_names_it(kept, source, world):
    source.kids = ["first", "second"]
    await world.pass_by(PAUSE)
    assert await found(kept, "second")
    assert source.fetches == 2


async def test_made_up_ones_are_asked_for_once_in_a_while(kept, source, world):
    for number in range(100):
        assert not await found(kept, f"made up {number}")
    assert source.fetches == 1
    await world.pass_by(PAUSE)
    for number in range(100):
        assert not await found(kept, f"made up {number}")
    assert source.fetches == 2


async def test_whoever_asks_meanwhile_waits_for_the_same_fetch(keys, source):
    source.gate.clear()
    waiting = [asyncio.create_task(keys.find("first")) for _ in range(20)]
    await settle()
    waiting[0].cancel()
    await settle()
    source.gate.set()
    assert all(await asyncio.gather(*waiting[1:]))
    assert source.fetches == 1


async def test_a_known_one_never_waits(kept, source, world):
    await world.pass_by(PAUSE)
    source.gate.clear()
    unknown = asyncio.create_task(kept.find("unknown"))
    await settle()
    async with asyncio.timeout(1):
        assert await found(kept, "first")
    source.gate.set()
    assert await unknown is None


async def test_in_an_outage_known_ones_work_and_others_may_or_may_not_be_there(kept, source, world):
    source.down = True
    await world.pass_by(RENEW_EVERY * 48)
    assert await found(kept, "first")
    assert source.fetches > RENEW_EVERY / PAUSE, "it is not asked for again until the next hour"
    with pytest.raises(RefusedError) as caught:
        await kept.find("second")
    assert caught.value.refusal.reason is Reason.AUTHORITY_UNREACHABLE
    assert caught.value.refusal is DOWN.refusal
    source.down, source.kids = False, ["first", "second"]
    await world.pass_by(PAUSE * 1.2)
    assert await found(kept, "second")
    assert await kept.find("third") is None


async def test_nothing_is_known_while_entra_was_never_reached(keys, source, world):
    source.down = True
    for _ in range(10):
        with pytest.raises(RefusedError):
            await keys.find("first")
    assert source.fetches == 1
    source.down = False
    await world.pass_by(PAUSE)
    assert await found(keys, "first")


@pytest.fixture(scope="module")
def server(authority):
    server = Upstream(authority.issue("keys"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def fetch(server, authority):
    server.directory.forget()
    return entra(server.address, TENANT, trusted=trust(str(authority.certificate)))


async def test_what_entra_publishes(server, fetch):
    server.directory.keys.append(Key("second"))
    published = await fetch()
    assert published.issuers == set(server.directory.issuers)
    assert published.keys.keys() == {"first", "second"}


async def test_a_directory_has_an_issuer(server, fetch):
    server.directory.issuers = ("", "")
    with pytest.raises(RefusedError) as caught:
        await fetch()
    assert caught.value.refusal.detail == "no issuer is named"


async def test_a_directory_may_have_no_former_issuer(server, fetch):
    server.directory.former = False
    assert (await fetch()).issuers == {server.directory.issuers[0]}


@pytest.mark.parametrize("published", [[], [{"kty": "RSA", "kid": "x"}], [{}], ["key"], "keys", 7])
async def test_no_usable_key_is_an_outage(server, fetch, published):
    server.directory.published = published
    with pytest.raises(RefusedError) as caught:
        await fetch()
    assert caught.value.refusal.reason is Reason.AUTHORITY_UNREACHABLE


@pytest.mark.parametrize(
    ("base", "tenant", "said"),
    [
        (None, "cccccccc-0000-4000-8000-000000000003", "HTTP 400"),
        ("https://127.0.0.1:1/", TENANT, "ConnectError"),
        ("http://127.0.0.1:1/", TENANT, "an address is not https"),
        ("https://127.0.0.1:port/", TENANT, "InvalidURL"),
    ],
)
async def test_what_cannot_be_had_is_an_outage(server, authority, base, tenant, said):
    trusted = trust(str(authority.certificate))
    with pytest.raises(RefusedError) as caught:
        await entra(base or server.address, tenant, trusted=trusted)()
    assert caught.value.refusal.detail == said
    assert caught.value.refusal.retry_after == PAUSE


async def test_a_stranger_with_no_good_certificate_publishes_nothing(server):
    server.directory.forget()
    with pytest.raises(RefusedError):
        await entra(server.address, TENANT, trusted=trust(""))()
    assert server.directory.asked == []


async def test_keys_come_by_https_or_not_at_all(server, fetch):
    server.directory.keys_at = "http://127.0.0.1:1/keys"
    with pytest.raises(RefusedError) as caught:
        await fetch()
    assert caught.value.refusal.detail == "an address is not https"


async def test_nobody_is_sent_elsewhere(server, fetch):
    server.directory.keys_at = f"{server.address}redirect"
    with pytest.raises(RefusedError) as caught:
        await fetch()
    assert caught.value.refusal.detail == "HTTP 302"
