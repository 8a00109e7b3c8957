"""The proof's loop: real exchanges and reads on real sockets, in simulated time."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json

import pytest
from chatbot.simulated import Time
from chatbot.upstream import NO_CREDENTIAL, NO_ROLE, OID
from chatbot_app.completions import Completions, Model, Sampling
from chatbot_app.credential import Credential, workload_identity
from chatbot_app.proof import Proof, Terms
from chatbot_app.reasons import Reason
from chatbot_app.settings import WorkloadIdentity
from chatbot_app.standing import document

CLAIMS = {"iss": "https://i/", "sub": "system:serviceaccount:a:b", "aud": ["api://x"]}
PROJECTED = f"e.{base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).decode().rstrip('=')}.s"


@pytest.fixture
def time():
    return Time()


@pytest.fixture
async def start(upstream, authority, time, tmp_path, monkeypatch):
    """Start a proof; returns it. `since` is what stands in the credential's file."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    token_file = tmp_path / "token"
    token_file.write_text(PROJECTED)
    identity = WorkloadIdentity(token_file, "client", "tenant", upstream.address)
    fetch = workload_identity(identity, scope="s", ca_file=str(authority.bundle))
    credential = Credential(fetch, clock=time.clock, sleep=time.sleep, random=lambda: 0.5)
    completions = Completions(
        model=Model(upstream.address, "gpt"), sampling=Sampling(), token=credential.token
    )
    running = []

    def begin(since=None, *, principal_id=OID):
        since_file = tmp_path / "since"
        if since is not None:
            since_file.write_text(since)
        terms = Terms(
            principal_id=principal_id,
            since_file=since_file,
            token_file=token_file,
            delay=15.0,
            recheck=300.0,
        )
        proof = Proof(
            terms,
            credential,
            completions,
            now=time.date,
            sleep=time.sleep,
            random=lambda: 0.5,
        )
        running.append(asyncio.create_task(proof.run()))
        return proof

    yield begin
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await credential.close()
    await completions.close()


async def attempts(proof, number):
    """Wait, in real time, for what happens on sockets."""
    async with asyncio.timeout(60):
        while proof.standing.attempts < number:
            await asyncio.sleep(0.01)


def ago(time, seconds):
    return (time.date() - dt.timedelta(seconds=seconds)).isoformat()


async def test_an_old_credential_is_tried_at_once(start, upstream, time):
    proof = start(ago(time, 3600))
    await attempts(proof, 1)
    assert proof.standing.latest.reason is Reason.PROVEN
    assert len(upstream.reads) == len(upstream.exchanges) == 1


async def test_a_young_credential_is_left_alone_until_it_is_old_enough(start, upstream, time):
    proof = start(ago(time, 5))
    await time.pass_by(9.9)
    assert proof.standing.latest.reason is Reason.WAITING_FOR_CREDENTIAL
    assert upstream.exchanges == []
    await time.pass_by(0.2)
    await attempts(proof, 1)
    assert proof.standing.proven_at is not None


@pytest.mark.parametrize("since", [None, "", "\n"])
async def test_without_a_time_the_start_of_the_chatbot_counts(start, upstream, time, since):
    proof = start(since)
    await time.pass_by(14.9)
    assert upstream.exchanges == []
    await time.pass_by(0.2)
    await attempts(proof, 1)
    assert proof.standing.proven_at is not None


@pytest.mark.parametrize("since", ["yesterday", "2026-01-31T12:00:00", "ü"])
async def test_a_malformed_time_is_named(start, upstream, since):
    proof = start(since)
    await attempts(proof, 1)
    assert proof.standing.latest.reason is Reason.MISCONFIGURED
    assert "CREDENTIAL_SINCE_FILE" in proof.standing.latest.detail
    assert upstream.exchanges == []


async def test_every_attempt_is_a_fresh_exchange(start, upstream, time):
    upstream.models = NO_ROLE
    proof = start(ago(time, 60))
    await attempts(proof, 1)
    assert proof.standing.latest.reason is Reason.PERMISSION_DENIED
    await time.pass_by(20)
    await attempts(proof, 2)
    upstream.models = None
    await time.pass_by(60)
    await attempts(proof, 3)
    assert proof.standing.latest.reason is Reason.PROVEN
    assert len(upstream.exchanges) == 3
    assert len(set(upstream.reads)) == 3


async def test_a_refused_exchange_is_repeated_on_schedule_only(start, upstream, time):
    upstream.exchange = NO_CREDENTIAL
    proof = start(ago(time, 60))
    for number, pause in enumerate((20, 60, 120, 120), start=1):
        await attempts(proof, number)
        assert proof.standing.latest.reason is Reason.EXCHANGE_REFUSED
        await time.pass_by(pause - 0.1)
        assert len(upstream.exchanges) == number
        await time.pass_by(0.2)
    await attempts(proof, 5)
    assert upstream.reads == []


async def test_a_token_of_another_principal_is_not_shown_to_the_account(start, upstream, time):
    proof = start(ago(time, 60), principal_id="somebody-else")
    await attempts(proof, 1)
    assert proof.standing.latest.reason is Reason.WRONG_PRINCIPAL
    assert upstream.reads == []


async def test_a_proven_chatbot_notices_a_lost_role_and_its_return(start, upstream, time):
    proof = start(ago(time, 60))
    await attempts(proof, 1)
    proven_at = proof.standing.proven_at
    upstream.models = NO_ROLE
    await time.pass_by(301)
    await attempts(proof, 2)
    assert proof.standing.latest.reason is Reason.PERMISSION_DENIED
    assert proof.standing.proven_at == proven_at
    upstream.models = None
    await time.pass_by(301)
    await attempts(proof, 3)
    assert proof.standing.latest.reason is Reason.PROVEN
    assert proof.standing.proven_at == proven_at


async def test_what_entra_refuses_is_told_with_what_was_presented_and_the_correlation(
    start, upstream, time
):
    upstream.exchange = NO_CREDENTIAL
    proof = start(ago(time, 60))
    assert document(proof.standing)["presented"] is None
    await attempts(proof, 1)
    told = document(proof.standing)
    assert told["reason"] == "ExchangeRefused"
    assert told["presented"] == {
        "issuer": "https://i/",
        "subject": "system:serviceaccount:a:b",
        "audience": "api://x",
    }
    assert told["trace"] == "9a"
    assert PROJECTED not in str(told)


@pytest.mark.parametrize("held", ["", "no token", "ÿ"])
async def test_a_token_that_cannot_be_read_presents_nothing_and_stops_nothing(
    start, time, tmp_path, held
):
    (tmp_path / "token").write_text(held, encoding="latin-1")
    proof = start(ago(time, 60))
    await attempts(proof, 1)
    assert document(proof.standing)["presented"] is None
