from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from chatbot.simulated import Time, settle
from chatbot.upstream import NO_CREDENTIAL, Refuse, entra
from chatbot_app import credential as credential_module
from chatbot_app.credential import Credential, Token, nobody, person, workload_identity
from chatbot_app.reasons import ChatReason, Reason, Refusal, RefusedError
from chatbot_app.settings import WorkloadIdentity

HOUR = 3600.0


class Source:
    """Where tokens come from; it fails while `fault` is set and waits while `gate` is closed."""

    def __init__(self, time: Time, *, lifetime: float = HOUR) -> None:
        self.time = time
        self.lifetime = lifetime
        self.fetched = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.fault = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Token:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self.gate.wait()
        finally:
            self.in_flight -= 1
        if self.fault:
            raise RefusedError(Refusal(Reason.AUTHORITY_UNREACHABLE))
        self.fetched += 1
        return Token(f"token-{self.fetched}", self.time.now + self.lifetime)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def source(time: Time) -> Source:
    return Source(time)


@pytest.fixture
async def credential(time, source):
    made = Credential(source, clock=time.clock, sleep=time.sleep, random=lambda: 1.0)
    made.open()
    keeper = asyncio.create_task(made.keep())
    yield made
    keeper.cancel()
    await made.close()


async def test_a_token_is_renewed_in_the_background_at_half_of_its_life(credential, source, time):
    assert await credential.token() == "token-1"
    await time.pass_by(HOUR / 2 - 1)
    assert source.fetched == 1
    await time.pass_by(2)
    assert source.fetched == 2
    assert await credential.token() == "token-2"


async def test_no_request_waits_for_a_renewal(credential, source, time):
    await credential.token()
    source.gate.clear()
    await time.pass_by(HOUR / 2 + 1)
    assert source.in_flight == 1
    assert await asyncio.wait_for(credential.token(), 10) == "token-1"
    source.gate.set()
    await settle()
    assert await credential.token() == "token-2"


async def test_renewal_goes_on_for_days(credential, source, time):
    await credential.token()
    for _ in range(72):
        await time.pass_by(HOUR)
        before = source.fetched
        await credential.token()
        assert source.fetched == before
    assert source.fetched >= 140


async def test_an_outage_is_outlived_by_retries(credential, source, time):
    await credential.token()
    source.fault = True
    await time.pass_by(HOUR / 2 + 600)
    assert await credential.token() == "token-1"
    source.fault = False
    await time.pass_by(61)
    assert await credential.token() == "token-2"
    assert max(time.slept[1:-1]) <= 60


async def test_many_requests_share_one_fetch(credential, source):
    source.gate.clear()
    waiting = [asyncio.create_task(credential.token()) for _ in range(50)]
    await settle()
    source.gate.set()
    assert set(await asyncio.gather(*waiting)) == {"token-1"}
    assert source.most_in_flight == 1


async def test_a_visitor_who_leaves_does_not_end_the_fetch_of_others(credential, source):
    source.gate.clear()
    first, second = (asyncio.create_task(credential.token()) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    source.gate.set()
    assert await second == "token-1"


async def test_a_lost_token_is_fetched_by_the_request_that_needs_it(credential, source, time):
    await credential.token()
    source.fault = True
    await time.pass_by(2 * HOUR)
    with pytest.raises(RefusedError):
        await credential.token()
    source.fault = False
    assert await credential.token() == "token-2"


async def test_nothing_is_fetched_before_the_credential_is_opened(time, source):
    credential = Credential(source, clock=time.clock, sleep=time.sleep, random=lambda: 1.0)
    request = asyncio.create_task(credential.token())
    await time.pass_by(60)
    assert source.in_flight == 0
    credential.open()
    assert await request == "token-1"


async def test_a_token_never_shows_in_a_representation():
    assert "secret" not in repr(Token("secret", 1.0))


@pytest.fixture
def identity(upstream, tmp_path):
    path = tmp_path / "token"
    path.write_text("projected-1")
    return WorkloadIdentity(path, "client", "tenant", upstream.address)


@pytest.fixture
def exchange(identity, authority):
    return workload_identity(identity, scope="https://s/.default", ca_file=str(authority.bundle))


async def test_each_exchange_is_fresh_and_reads_the_projected_token_again(
    exchange, identity, upstream
):
    first = await exchange()
    identity.token_file.write_text("projected-2")
    second = await exchange()
    assert first.value != second.value
    assert [form["client_assertion"] for form in upstream.exchanges] == [
        "projected-1",
        "projected-2",
    ]
    assert upstream.exchanges[0]["scope"] == "https://s/.default"


BAD_GATEWAY = Refuse(502, {"message": "Bad gateway"})


@pytest.mark.parametrize(
    ("answer", "reason", "words"),
    [
        (NO_CREDENTIAL, Reason.EXCHANGE_REFUSED, "AADSTS70025"),
        (
            entra(700016, "Application with identifier 'c' was not found.", status=400),
            Reason.EXCHANGE_REFUSED,
            "AADSTS700016",
        ),
        (
            entra(
                90033,
                "A transient error has occurred.",
                status=503,
                error="temporarily_unavailable",
            ),
            Reason.AUTHORITY_UNREACHABLE,
            "503",
        ),
        (Refuse(429, {"error": "throttled"}), Reason.AUTHORITY_UNREACHABLE, "429"),
        (BAD_GATEWAY, Reason.AUTHORITY_UNREACHABLE, ""),
    ],
)
async def test_a_refused_exchange_says_why(exchange, upstream, answer, reason, words):
    upstream.exchange = answer
    with pytest.raises(RefusedError) as caught:
        await exchange()
    assert caught.value.refusal.reason is reason
    assert words in caught.value.refusal.detail
    assert "Trace ID" not in caught.value.refusal.detail
    assert len(upstream.exchanges) == 1


async def test_an_authority_that_does_not_answer_is_unreachable(identity, authority, upstream):
    upstream.stop()
    fetch = workload_identity(identity, scope="s", ca_file=str(authority.bundle))
    with pytest.raises(RefusedError) as caught:
        await fetch()
    assert caught.value.refusal.reason is Reason.AUTHORITY_UNREACHABLE


async def test_an_identity_that_was_injected_in_part_names_what_is_missing(tmp_path):
    fetch = workload_identity(WorkloadIdentity(tmp_path, "", "t", ""), scope="s", ca_file="")
    with pytest.raises(RefusedError) as caught:
        await fetch()
    assert caught.value.refusal.reason is Reason.NOT_INJECTED
    assert "AZURE_CLIENT_ID" in caught.value.refusal.detail


async def test_a_missing_projected_token_is_not_injected(identity, authority):
    identity.token_file.unlink()
    fetch = workload_identity(identity, scope="s", ca_file=str(authority.bundle))
    with pytest.raises(RefusedError) as caught:
        await fetch()
    assert caught.value.refusal.reason is Reason.NOT_INJECTED


async def test_a_pod_without_identity_borrows_none():
    with pytest.raises(RefusedError) as caught:
        await nobody()
    assert caught.value.refusal.reason is Reason.NOT_INJECTED


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a shell script in the place of the process that fetches a token."""

    def put(script: str) -> None:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(path))

    return put


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("kill -9 $$", "(ended with -9)"),
        ("exit 3", "(ended with 3)"),
        ("echo a library says hello", "(JSONDecodeError)"),
    ],
)
async def test_a_process_that_ends_without_an_answer_is_told(exchange, program, script, words):
    program(script)
    with pytest.raises(RefusedError) as caught:
        await exchange()
    assert caught.value.refusal == Refusal(Reason.AUTHORITY_UNREACHABLE, words)


async def test_a_directory_that_somebody_is_in_has_no_part_in_it(exchange, tmp_path, monkeypatch):
    (tmp_path / "requests.py").write_text("raise SystemExit('a stranger')")
    monkeypatch.chdir(tmp_path)
    assert (await exchange()).value


async def test_a_process_that_cannot_be_started_is_told(exchange, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere")
    with pytest.raises(RefusedError) as caught:
        await exchange()
    assert caught.value.refusal.reason is Reason.AUTHORITY_UNREACHABLE
    assert "FileNotFoundError" in caught.value.refusal.detail


async def test_a_process_that_does_not_end_is_ended(exchange, program, tmp_path, monkeypatch):
    monkeypatch.setattr(credential_module, "LONGEST_FETCH", 0.5)
    program(f"echo $$ >{tmp_path}/pid; exec sleep 100")
    with pytest.raises(RefusedError) as caught:
        await exchange()
    assert caught.value.refusal == Refusal(Reason.AUTHORITY_UNREACHABLE, "(TimeoutError)")
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


async def test_whoever_ends_ends_the_process_that_fetches(exchange, program, tmp_path):
    program(f"echo $$ >{tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; exec sleep 100")
    credential = Credential(exchange, clock=lambda: 0, sleep=asyncio.sleep, random=lambda: 0.5)
    credential.open()
    request = asyncio.create_task(credential.token())
    while not (tmp_path / "pid").exists():
        await asyncio.sleep(0.01)
    await credential.close()
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()
    with pytest.raises(asyncio.CancelledError):
        await request


AZ = """#!/bin/sh
echo '{"accessToken": "of-ada", "expires_on": 4102444800, "tokenType": "Bearer"}'
"""
SIGNED_OUT = """#!/bin/sh
echo "ERROR: Please run 'az login' to setup account." >&2; exit 1
"""


@pytest.fixture
def az(tmp_path, monkeypatch):
    """Put a script in the place of the Azure CLI, and of the machine's own identity nothing."""
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))

    def put(script: str) -> None:
        path = tmp_path / "az"
        path.write_text(script)
        path.chmod(0o700)

    return put


async def test_a_person_is_who_is_signed_in_to_the_azure_cli(az):
    az(AZ)
    assert await person(scope="https://s/.default")() == Token("of-ada", 4102444800)


async def test_a_person_who_is_not_signed_in_is_told_what_to_do(az):
    az(SIGNED_OUT)
    with pytest.raises(RefusedError) as caught:
        await person(scope="https://s/.default")()
    assert caught.value.refusal.reason is ChatReason.NOT_SIGNED_IN
    assert "az login" in caught.value.refusal.detail
