"""What happened in the cluster and in Azure: the audit log, the ledger, what a pass has said."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import provoked
from chatbot_operator.kube.client import Cluster

if TYPE_CHECKING:
    from cluster_world import AzureHand

USER = "system:serviceaccount:chatbot-operator:chatbot-operator"


@dataclass(frozen=True)
class Mark:
    """A moment: how long the log was, and when."""

    size: int
    at: dt.datetime


def received(event: Any) -> dt.datetime:
    return dt.datetime.fromisoformat(event["requestReceivedTimestamp"])


@dataclass(frozen=True)
class Audit:
    """What the API server's audit log says about the operator, or about somebody else."""

    log: Path

    def mark(self) -> Mark:
        return Mark(self.log.stat().st_size, dt.datetime.now(dt.UTC))

    def since(self, mark: Mark, user: str = USER) -> list[Any]:
        """A user's requests that came in after `mark`, oldest first; the operator's.

        The API server answers first and writes the log then, on a busy machine a while later.
        """
        with self.log.open("rb") as lines:
            lines.seek(mark.size)
            events = (json.loads(line) for line in lines if user.encode() in line)
            return [e for e in events if e["user"]["username"] == user and received(e) > mark.at]

    def writes(self, mark: Mark, namespace: str = "", *, user: str = USER) -> list[Any]:
        reading = {"get", "list", "watch"}
        return [
            e
            for e in self.since(mark, user)
            if e["verb"] not in reading and namespace in {"", e["objectRef"].get("namespace")}
        ]


@dataclass(frozen=True)
class Moment:
    """A write: what, and from when to when, in epoch seconds."""

    what: str
    begun: float
    ended: float


async def moments(azure: AzureHand, audit: Audit, ledger: int, log: Mark) -> list[Moment]:
    """Every write of the operator, to Azure and to the cluster, in the order in which they ended.

    `METHOD kind` for Azure, `verb resource` or `verb resource/part` for the cluster.
    """
    found = [
        Moment(f"{e['method']} {arm_kind(e['path'])}", e["time"], e["time"] + e["duration"])
        for e in await azure.writes(ledger)
    ]
    for event in audit.writes(log):
        about = event["objectRef"]
        what = "/".join(filter(None, (about["resource"], about.get("subresource"))))
        begun, ended = (
            dt.datetime.fromisoformat(event[t]).timestamp()
            for t in ("requestReceivedTimestamp", "stageTimestamp")
        )
        found.append(Moment(f"{event['verb']} {what}", begun, ended))
    return sorted(found, key=lambda moment: moment.ended)


def arm_kind(where: str) -> str:
    for word in ("federatedIdentityCredentials", "roleAssignments", "userAssignedIdentities"):
        if f"/{word.lower()}/" in where.lower():
            return word
    return where


class Overheard(Cluster):
    """The operator's own adapter, whose statuses and events count as provoked."""

    async def replace_status(self, resource, namespace, name, *, uid, status):
        await super().replace_status(resource, namespace, name, uid=uid, status=status)
        provoked.hear(status)

    async def event(self, regarding, note, *, at):
        await super().event(regarding, note, at=at)
        provoked.hear_event(note.reason)
