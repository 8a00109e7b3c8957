"""The operator in a cluster that knows no Gateway API."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, HTTP_ROUTES
from cluster_world import PATIENCE, account, chatbot

CRDS = str(Path(__file__).parents[1] / "gateway-api")
ROUTE = {"parentRefs": [{"name": "public"}], "hostnames": ["chat.example.com"]}


@pytest.fixture
def no_gateway_api(installed, kubectl):
    """A cluster without the Gateway API; call it to install that."""

    def install():
        kubectl("apply", "-f", CRDS)
        kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        kubectl("get", "httproutes", "-A")

    kubectl("delete", "-f", CRDS)
    yield install
    install()


async def test_a_route_that_cannot_be_breaks_nothing_else(
    *, no_gateway_api, start, hand, namespace
):
    async with start(), asyncio.timeout(PATIENCE):
        await hand.create(account(namespace))
        await hand.create(chatbot(namespace, account=namespace, httpRoute=ROUTE))
        while True:
            await hand.run_pods(namespace)
            found = await hand.conditions(namespace)
            if found.get("Ready", {}).get("reason") == "GatewayApiMissing":
                break
            await asyncio.sleep(0.2)
        assert found["AccessProven"]["status"] == "True"
        assert "Install the Gateway API" in found["WorkloadReady"]["message"]

        await hand.edit(CHATBOTS, namespace, {"spec": {"httpRoute": None}})
        while (await hand.conditions(namespace))["Ready"]["status"] != "True":
            await hand.run_pods(namespace)
            await asyncio.sleep(0.2)
        await hand.delete(CHATBOTS, namespace)
        while await hand.get(CHATBOTS, namespace):
            await asyncio.sleep(0.2)
        await hand.delete(ACCOUNTS, "", namespace)


async def test_a_gateway_api_that_is_installed_later_is_used_and_watched(
    *, no_gateway_api, start, hand, audit, namespace
):
    await hand.create(account(namespace))
    await hand.create(chatbot(namespace, account=namespace, httpRoute=ROUTE))
    async with start() as process, asyncio.timeout(PATIENCE):
        while not await hand.children(namespace):
            await asyncio.sleep(0.2)
        await asyncio.to_thread(no_gateway_api)
        assert await process.wait() == 0, "whoever runs it starts it again"
    mark = audit.mark()
    async with start(), asyncio.timeout(PATIENCE):
        while not await hand.get(HTTP_ROUTES, namespace):
            await hand.run_pods(namespace)
            await asyncio.sleep(0.2)
        # Nothing but a watch begins with a list of them.
        while "httproutes" not in listed(audit.since(mark)):
            await asyncio.sleep(0.2)
        await hand.delete(CHATBOTS, namespace)
        while await hand.get(CHATBOTS, namespace):
            await asyncio.sleep(0.2)
        await hand.delete(ACCOUNTS, "", namespace)


def listed(events):
    return {e["objectRef"]["resource"] for e in events if e["verb"] == "list"}
