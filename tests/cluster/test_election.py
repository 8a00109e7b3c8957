"""Two replicas of the operator on a real API server: one writes, whatever befalls it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import signal
import time

import pytest
from chatbot_operator.election import LEASES, RENEW_SECONDS
from chatbot_operator.ports import CHATBOTS
from cluster_world import account, chatbot, path
from sandbox.cluster.api import ApiError
from sandbox.cluster.control_plane import kubeconfig
from tcp_proxy import line_to

HOME = "chatbot-operator"
AT_MOST = 20.0
"""Seconds that a takeover may take."""
LEASE = path(LEASES, HOME, HOME)


@pytest.fixture
def replica(*, start, kubectl, control_plane, authority, tmp_path):
    """Starts a replica of this name with a token of its own, by which the audit log knows it."""

    def run(name, server=control_plane.server):
        token = kubectl("create", "token", HOME, "-n", HOME).strip()
        reach = kubeconfig(server, authority, user=HOME, credential={"token": token})
        (tmp_path / name).write_text(json.dumps(reach))
        numbers[name] = claims(token)["jti"]
        return start(KUBECONFIG=str(tmp_path / name), POD_NAME=name, POD_NAMESPACE=HOME)

    numbers = run.numbers = {}
    return run


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def asked_by(number, events):
    """The requests of one replica, but those for the Lease itself and watches, which end late."""
    field = "authentication.kubernetes.io/credential-id"
    return [
        f"{e['verb']} {e['requestURI']}"
        for e in events
        if e["user"].get("extra", {}).get(field) == [f"JTI={number}"]
        and e["verb"] != "watch"
        and e.get("objectRef", {}).get("resource") != "leases"
    ]


@pytest.fixture
async def holder(hand):
    """Gives the name of the replica that holds the Lease; nobody does when the test begins."""
    with contextlib.suppress(ApiError):  # the first test of all
        await hand.api.delete(LEASE)

    async def look():
        with contextlib.suppress(ApiError):  # not made yet
            spec = (await hand.api.get(LEASE))["spec"]
            return spec["holderIdentity"].rpartition("_")[0]
        return ""

    return look


async def until(what, wanted, seconds=30.0):
    """Wait until `what` gives what is wanted; the seconds that took."""
    begun = time.monotonic()
    async with asyncio.timeout(seconds):
        while await what() != wanted:
            await asyncio.sleep(0.05)
    return time.monotonic() - begun


def finalized(hand, namespace):
    """Whether an operator has begun with the chatbot: its first write is the finalizer."""

    async def look():
        return bool((await hand.get(CHATBOTS, namespace))["metadata"].get("finalizers"))

    return look


@contextlib.asynccontextmanager
async def two(replica, holder, *server):
    """Replica a, which leads and reaches the API server at `server`, and replica b, which waits."""
    async with replica("a", *server) as a:
        await until(holder, "a")
        async with replica("b") as b:
            await asyncio.sleep(3)
            yield a, b


async def test_one_of_two_works_and_the_other_only_waits(
    *, replica, holder, hand, audit, namespace
):
    mark = audit.mark()
    async with two(replica, holder):
        await hand.create(account(namespace))
        await hand.create(chatbot(namespace, account=namespace))
        await until(finalized(hand, namespace), wanted=True)
        assert asked_by(replica.numbers["b"], audit.since(mark)) == []
        assert asked_by(replica.numbers["a"], audit.since(mark)) != []


async def test_the_leader_is_killed_and_the_other_takes_over(*, replica, holder, hand, namespace):
    async with two(replica, holder) as (a, _):
        a.send_signal(signal.SIGKILL)
        assert await until(holder, "b") <= AT_MOST
        await hand.create(chatbot(namespace))
        await until(finalized(hand, namespace), wanted=True)


async def test_a_leader_that_was_stopped_and_goes_on_ends_without_a_request(
    *, replica, holder, hand, audit, namespace
):
    async with two(replica, holder) as (a, _):
        await hand.create(chatbot(namespace, "before"))
        a.send_signal(signal.SIGSTOP)
        await hand.create(chatbot(namespace))
        assert await until(holder, "b") <= AT_MOST
        await until(finalized(hand, namespace), wanted=True)
        mark = audit.mark()
        a.send_signal(signal.SIGCONT)
        async with asyncio.timeout(5):
            assert await a.wait() == 1
        await asyncio.sleep(1)
        assert asked_by(replica.numbers["a"], audit.since(mark)) == []
        assert await holder() == "b"


async def test_a_leader_that_was_stopped_in_the_middle_of_its_work_leaves_one_of_each(
    *, replica, holder, hand, azure, namespace
):
    async with two(replica, holder) as (a, _):
        await hand.create(account(namespace))
        await hand.create(chatbot(namespace, account=namespace))
        async with asyncio.timeout(30):
            while not await azure.identities(namespace):
                await asyncio.sleep(0.01)
        a.send_signal(signal.SIGSTOP)
        assert await until(holder, "b") <= AT_MOST
        a.send_signal(signal.SIGCONT)
        async with asyncio.timeout(60):
            assert await a.wait() == 1
            while not await is_ready(hand, namespace):
                await hand.run_pods(namespace)
                await asyncio.sleep(0.2)
    (identity,) = await azure.identities(namespace)
    assert len(identity["credentials"]) == 1
    (assignment,) = await azure.described(namespace)
    assert assignment["principal_id"] == identity["principal_id"]


async def is_ready(hand, namespace):
    condition = (await hand.conditions(namespace)).get("Ready")
    return condition is not None and condition["status"] == "True"


async def test_told_to_stop_the_leader_gives_the_lease_back(*, replica, holder):
    async with two(replica, holder) as (a, _):
        a.send_signal(signal.SIGTERM)
        assert await until(holder, "b") <= 5
        async with asyncio.timeout(10):
            assert await a.wait() == 0


async def test_one_that_waits_ends_when_told_to(*, replica, holder):
    async with two(replica, holder) as (_, b):
        b.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await b.wait() == 0
        assert await holder() == "a"


async def test_a_leader_that_cannot_reach_the_cluster_ends_before_another_begins(
    *, replica, holder, control_plane
):
    port = int(control_plane.server.rpartition(":")[2])
    async with line_to("127.0.0.1", port) as line:
        own_way = f"https://127.0.0.1:{line.port}"
        async with two(replica, holder, own_way) as (a, _):
            line.up.clear()
            cut = time.monotonic()
            async with asyncio.timeout(RENEW_SECONDS + 2):
                assert await a.wait() == 1
            assert await holder() == "a"
            await until(holder, "b")
            assert time.monotonic() - cut <= AT_MOST
