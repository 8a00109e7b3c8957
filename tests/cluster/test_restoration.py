"""Edits that an apply cannot undo, and objects that appear while one is under way."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, replace
from typing import Any

import pytest
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.ports import (
    CHATBOTS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from cluster_world import Operator, chatbot, key, path
from fuse import Fuse, fused


def pod(live):
    return live["spec"]["template"]["spec"]


def sourced(live):
    """Give a variable another source."""
    (container,) = pod(live)["containers"]
    (variable,) = (e for e in container["env"] if e["name"] == "CHAT_TITLE")
    del variable["value"]
    variable["valueFrom"] = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}


def otherwise_probed(live):
    (container,) = pod(live)["containers"]
    del container["livenessProbe"]["httpGet"]
    container["livenessProbe"]["exec"] = {"command": ["true"]}


def emptied(live):
    (volume,) = pod(live)["volumes"]
    del volume["configMap"]
    volume["emptyDir"] = {}


def recreating(live):
    live["spec"]["strategy"] = {"type": "Recreate"}


def on_another_port(live):
    live["spec"]["ports"][0]["port"] = 8081


def on_two_ports(live):
    (port,) = live["spec"]["ports"]
    live["spec"]["ports"].append({**port, "port": 81, "name": "other"})
    port["port"] = 82


EDITS = [
    (DEPLOYMENTS, sourced),
    (DEPLOYMENTS, otherwise_probed),
    (DEPLOYMENTS, emptied),
    (DEPLOYMENTS, recreating),
    (SERVICES, on_another_port),
    (SERVICES, on_two_ports),
]


async def edited(hand, resource, namespace, edit):
    """The object before it was edited; the controllers may write at the same time."""
    live = await hand.get(resource, namespace)
    changed = copy.deepcopy(live)
    edit(changed)
    del changed["metadata"]["resourceVersion"], changed["status"]
    await hand.api.put(path(resource, namespace, "support"), changed)
    return live


@pytest.mark.parametrize(("resource", "edit"), EDITS, ids=lambda v: getattr(v, "__name__", ""))
async def test_what_an_apply_cannot_undo_is_undone_all_the_same(
    *, operator, hand, audit, settled, resource, edit
):
    before = await edited(hand, resource, settled, edit)
    await operator.settle(key(settled))
    after = await hand.get(resource, settled)
    for spec in (before["spec"], after["spec"]):
        spec.pop("clusterIP", None)
    assert after["spec"] == before["spec"]
    await hand.roll_out(settled, "support")
    await operator.settle(key(settled))
    mark = audit.mark()
    await operator.settle(key(settled))
    assert audit.writes(mark, settled) == []


async def test_what_was_restored_can_still_be_taken_away(operator, hand, settled):
    def edit(live):
        sourced(live)
        (container,) = pod(live)["containers"]
        container["env"] = [e for e in container["env"] if e["name"] != "TEMPERATURE"]

    await hand.edit(CHATBOTS, settled, {"spec": {"openAI": {"temperature": 0.5}}})
    await operator.settle(key(settled))
    await edited(hand, DEPLOYMENTS, settled, edit)
    await operator.settle(key(settled))
    await hand.edit(CHATBOTS, settled, {"spec": {"openAI": {"temperature": None}}})
    await operator.settle(key(settled))
    (container,) = pod(await hand.get(DEPLOYMENTS, settled))["containers"]
    assert "TEMPERATURE" not in {e["name"] for e in container["env"]}


async def stopped_at(operator, hand, namespace, write):
    """Let an operator run into its `write`-th write and never come back."""
    fuse = Fuse(write)
    work = asyncio.create_task(Operator(fused(operator.world, fuse), hand).settle(key(namespace)))
    async with asyncio.timeout(30):
        await fuse.stopped.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    return fuse.writes[-1]


@pytest.mark.parametrize(("write", "what"), [(1, "patch"), (2, "apply"), (3, "patch")])
async def test_a_restoration_that_was_cut_off_is_finished(*, operator, hand, settled, write, what):
    before = await edited(hand, SERVICES, settled, on_another_port)
    assert (await stopped_at(operator, hand, settled, write)).startswith(what)
    await Operator(operator.world, hand).settle(key(settled))
    after = await hand.get(SERVICES, settled)
    assert after["spec"] == before["spec"]
    held = [(m["manager"], m["operation"]) for m in after["metadata"]["managedFields"]]
    assert ("chatbot-operator", "Apply") in held
    assert ("chatbot-operator", "Update") not in held


@dataclass
class Meddling:
    """The Kubernetes port, and somebody who is quicker: acts once, just before an apply."""

    port: Any
    resource: Any
    act: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)

    async def apply(self, resource, manifest, *, onto):
        if resource == self.resource and self.act:
            act, self.act = self.act, None
            await act()
        return await self.port.apply(resource, manifest, onto=onto)


def meddled(operator, resource, act):
    operator.world = replace(
        operator.world, kubernetes=Meddling(operator.world.kubernetes, resource, act)
    )


THEIRS = {
    CONFIG_MAPS: {"data": {"theirs": "yes"}},
    SERVICES: {"spec": {"ports": [{"port": 99}]}},
    SERVICE_ACCOUNTS: {},
}


@pytest.mark.parametrize("resource", THEIRS, ids=lambda r: r.plural)
async def test_what_somebody_makes_just_before_we_do_is_not_taken_over(
    operator, hand, namespace, resource
):
    body = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": "support", "namespace": namespace},
        **THEIRS[resource],
    }

    async def act():
        await hand.create(body)

    meddled(operator, resource, act)
    await hand.create(chatbot(namespace))
    fault = await operator.refused(key(namespace))
    assert fault.reason == "OwnershipConflict"
    live = await hand.get(resource, namespace)
    assert "ownerReferences" not in live["metadata"]
    assert live.get("data") == body.get("data")


async def test_what_replaces_our_object_while_it_is_put_right_is_not_taken_over(
    operator, hand, settled
):
    theirs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "support", "namespace": settled},
        "data": {"theirs": "yes"},
    }

    async def act():
        await hand.delete(CONFIG_MAPS, settled)
        await hand.create(theirs)

    meddled(operator, CONFIG_MAPS, act)
    await hand.edit(CONFIG_MAPS, settled, {"data": {"system-prompt": "Be rude."}})
    fault = await operator.refused(key(settled))
    assert fault.reason == "OwnershipConflict"
    assert (await hand.get(CONFIG_MAPS, settled))["data"] == theirs["data"]


async def test_an_api_server_takes_the_version_of_nothing_for_what_it_is(operator, namespace):
    """Were it otherwise in another release, every object would be missing or taken over."""
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "support", "namespace": namespace},
    }
    await operator.world.kubernetes.apply(CONFIG_MAPS, manifest, onto=None)
    with pytest.raises(KubernetesRefusal) as refused:
        await operator.world.kubernetes.apply(CONFIG_MAPS, manifest, onto=None)
    assert refused.value.status == 409
