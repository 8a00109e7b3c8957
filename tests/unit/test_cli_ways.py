"""Ways to pods that come and go, and their logs: what is done when one fails, in a made-up cluster."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt

import pytest
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.talk import following, way
from chatbot_operator.cli.talk.chatbots import Meant
from chatbot_operator.cli.talk.following import Following
from chatbot_operator.cli.talk.way import Way
from chatbot_operator.errors import KubernetesRefusal

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)


def refusal(status):
    return KubernetesRefusal("GET x", status, "Reason", "said")


def pod(name, *, restarts=0, state="running"):
    container = {"name": "chatbot", "restartCount": restarts, "state": {state: {}}}
    return {
        "metadata": {"name": name, "namespace": "help", "uid": name, "creationTimestamp": name},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [container],
        },
    }


class Made:
    """A reach, a cluster and streams to its pods, all in one."""

    def __init__(self, *pods) -> None:
        self.there = list(pods)
        self.refused = {}
        self.connections = []
        self.logs = {}
        self.asked = []

    async def cluster(self):
        return self

    async def pods(self):
        return self

    async def select(self, *_):
        return self.there

    @contextlib.asynccontextmanager
    async def connected(self, _namespace, name, port):
        self.connections.append((name, port))
        if name in self.refused:
            raise refusal(self.refused[name])
        yield name

    async def log(self, _namespace, name, asked):
        self.asked.append((name, dict(asked)))
        for each in self.logs.get(name, []):
            if isinstance(each, Exception):
                raise each
            yield each
        if self.logs.get(name, [None])[-1] is None:
            await asyncio.sleep(60)


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(way, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)


MEANT = Meant("help", "support", {"spec": {}}, "why")


async def test_a_pod_that_cannot_be_reached_is_passed_over_for_the_next():
    made, moves = Made(pod("a"), pod("b")), []
    made.refused = {"b": 500}
    to = Way(made, MEANT, lambda *both: moves.append(both))
    async with to.connected() as connection:
        assert connection == "a"
    assert made.connections == [("b", 8080), ("a", 8080)]
    assert moves == [("", "b"), ("b", "a")]


async def test_where_no_pod_can_be_reached_the_cluster_says_why():
    made = Made(pod("a"), pod("b"))
    made.refused = {"a": 500, "b": 404}
    with pytest.raises(KubernetesRefusal):
        async with Way(made, MEANT).connected():
            pass
    assert len(made.connections) == 2


async def test_a_right_that_is_missing_is_missing_for_all_pods():
    made = Made(pod("a"), pod("b"))
    made.refused = {"a": 403, "b": 403}
    with pytest.raises(KubernetesRefusal):
        async with Way(made, MEANT).connected():
            pass
    assert len(made.connections) == 1


async def test_a_connection_waits_for_a_pod_as_long_as_it_was_told():
    made = Made()
    with pytest.raises(UnansweredError, match="no pod of help/support is ready"):
        async with Way(made, MEANT).connected():
            pass

    async def come():
        await asyncio.sleep(0.05)
        made.there.append(pod("a"))

    coming = asyncio.create_task(come())
    async with Way(made, MEANT, patience=5).connected() as connection:
        assert connection == "a"
    await coming


@contextlib.asynccontextmanager
async def followed(made, *, now=lambda: NOON, asked=None):
    """Follow a made-up cluster's logs; give the lines and what was said."""
    lines, said = [], []
    work = Following(
        made,
        "chatbot",
        lambda: made.select(),  # noqa: PLW0108 - a test puts another in its place
        asked or {},
        lines.append,
        said.append,
        now,
    )
    task = asyncio.create_task(work.run())
    try:
        yield lines, said, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(check):
    async with asyncio.timeout(5):
        while not check():
            await asyncio.sleep(0.005)


async def test_each_run_of_each_container_is_read_once_and_a_new_one_whole():
    made = Made(pod("a"), pod("b", state="waiting"))
    made.logs = {"a": [b"one", None], "b": [b"two", None], "c": [b"three", None]}
    async with followed(made, asked={"tailLines": "20"}) as (lines, said, _):
        await until(lambda: len(lines) == 1)
        made.there = [pod("a", restarts=1), pod("b"), pod("c")]
        await until(lambda: len(lines) == 4)
        made.there = [pod("c")]
        await until(lambda: len(said) == 3)
    tails = [(name, asked.get("tailLines")) for name, asked in made.asked]
    assert tails == [("a", "20"), ("a", None), ("b", None), ("c", None)]
    assert said[0] == "c is new: pod c"
    assert set(said[1:]) == {"a is gone", "b is gone"}


async def test_a_log_that_is_cut_off_goes_on_where_it_was():
    made = Made(pod("a"))
    made.logs = {"a": [b"one", refusal(0)]}
    clock = [NOON]
    async with followed(made, now=lambda: clock[0]) as (lines, _, _task):
        await until(lambda: len(lines) == 1)
        await asyncio.sleep(0.05)
        assert len(made.asked) == 1, "the container may have ended, which shows a moment later"
        clock[0] += dt.timedelta(seconds=4)
        made.logs = {"a": [b"two", None]}
        await until(lambda: len(lines) == 2)
    assert made.asked[1][1]["sinceTime"] == "2026-01-31T12:00:00Z"


async def test_following_ends_where_logs_may_not_be_read_and_outlasts_an_api_server_that_is_away():
    made = Made(pod("a"))
    made.logs = {"a": [refusal(403)]}
    async with followed(made) as (_, _, task):
        with pytest.raises(KubernetesRefusal):
            await asyncio.wait_for(task, 5)
    made = Made(pod("a"))
    made.logs = {"a": [b"one", None], "b": [b"two", None]}
    async with followed(made) as (lines, _, task):
        await until(lambda: len(lines) == 1)
        there, made.select = made.select, raising
        await asyncio.sleep(0.05)
        made.there, made.select = [pod("a"), pod("b")], there
        await until(lambda: len(lines) == 2)
        assert not task.done()


async def raising(*_):
    raise refusal(0)
