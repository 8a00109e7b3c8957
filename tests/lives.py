"""An operator that is installed, as far as its Deployment tells, and a person who looks after it."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from chatbot_operator.ports import CHATBOTS, DEPLOYMENTS
from cluster_world import KINDS, chatbot, path
from console import Console
from sandbox.azure import settings as fixed
from sandbox.cluster.api import ApiError

HOME = "chatbot-operator"


@pytest.fixture
async def deployed(hand, standing, installed):
    """The operator's Deployment, without pods: its settings are read from it."""
    labels = {"app.kubernetes.io/name": HOME}
    given = {
        "CHATBOT_IMAGE": "chatbot",
        "IDENTITY_RESOURCE_GROUP": fixed.IDENTITY_GROUP,
        "AZURE_CLIENT_ID": standing.client_id,
        "AZURE_TENANT_ID": fixed.TENANT,
        "AZURE_FEDERATED_TOKEN_FILE": "/var/run/token",
    }
    container = {
        "name": "operator",
        "image": HOME,
        "env": [{"name": name, "value": value} for name, value in given.items()],
    }
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": HOME, "namespace": HOME, "labels": labels},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    await hand.api.post(path(DEPLOYMENTS, HOME), body)
    yield body
    await hand.api.delete(path(DEPLOYMENTS, HOME, HOME))
    async with asyncio.timeout(30):
        while await hand.get(DEPLOYMENTS, HOME, HOME):
            await asyncio.sleep(0.1)


@pytest.fixture
def console(control_plane, emulator, authority, standing):
    """The program as the cluster's administrator, with the operator's own rights in Azure."""
    return Console(
        {
            "PATH": str(control_plane.binaries),
            "KUBECONFIG": str(control_plane.kubeconfig),
            "SSL_CERT_FILE": str(authority.bundle),
            "ARM_ENDPOINT": emulator.url,
            "ARM_SCOPE": f"{fixed.ARM_AUDIENCE}/.default",
            "AZURE_AUTHORITY_HOST": emulator.url,
            "AZURE_TENANT_ID": fixed.TENANT,
            "AZURE_CLIENT_ID": standing.client_id,
            "AZURE_FEDERATED_TOKEN_FILE": str(standing.token_file),
        }
    )


async def strip(hand, namespace, name="support"):
    """Take the finalizer off a chatbot and delete it, while no operator looks."""
    await hand.edit(CHATBOTS, namespace, {"metadata": {"finalizers": None}}, name)
    with contextlib.suppress(ApiError):  # it was being deleted
        await hand.delete(CHATBOTS, namespace, name)
    async with asyncio.timeout(60):
        while await hand.get(CHATBOTS, namespace, name):
            await asyncio.sleep(0.1)


async def begin_anew(hand, namespace, *names):
    """Have chatbots live again, as after a restore: with other uids, and nothing in the cluster."""
    for name in names:
        await strip(hand, namespace, name)
        for kind in KINDS:  # the garbage collector takes its time
            with contextlib.suppress(ApiError):
                await hand.delete(kind, namespace, name)
    async with asyncio.timeout(60):
        for name in names:
            while await hand.children(namespace, name):
                await asyncio.sleep(0.1)
    for name in names:
        await hand.create(chatbot(namespace, name))
