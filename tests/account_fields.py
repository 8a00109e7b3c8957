"""Every field of an account's spec: a change of it, and what it must reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from chatbot_operator.ports import CHATBOTS, DEPLOYMENTS, SERVICES, Resource
from cluster_world import IDENTITIES, AzureHand, Hand
from fields import Find, container, variable
from sandbox.azure import settings as fixed

Spec = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """A namespace with a chatbot, and the managed identity `theirs` that somebody else made."""

    namespace: str
    theirs: str


@dataclass(frozen=True)
class Look:
    """`look` at what a change `reaches`; the words stand in docs/fields.md."""

    reaches: str
    look: Callable[[Hand, AzureHand, str], Awaitable[Any]]


@dataclass(frozen=True)
class Reach:
    """What `sees` finds at `chatbot` while its account says `first`, then `then`, then `first`.

    The specs of the account leave accountId out. `found` is in that order. What an account allows no
    more is refused at once and runs until the grace is over; identities stay where they were made.
    """

    sees: Look
    then: Spec
    found: tuple[Any, Any, Any]
    first: Spec = field(default_factory=dict)
    chatbot: Spec = field(default_factory=dict)


async def permitted(hand: Hand, _azure: AzureHand, namespace: str) -> Any:
    return (await hand.conditions(namespace))["Permitted"]["reason"]


async def endpoint(hand: Hand, azure: AzureHand, namespace: str) -> Any:
    """Without what differs from one emulator to the next."""
    found = variable("AZURE_OPENAI_ENDPOINT")(await hand.get(DEPLOYMENTS, namespace))
    return found.removeprefix(str(azure.http.base_url).rstrip("/"))


def made(kind: Resource, find: Find) -> Callable[[Hand, AzureHand, str], Awaitable[Any]]:
    async def look(hand: Hand, _azure: AzureHand, namespace: str) -> Any:
        live = await hand.get(kind, namespace)
        return live and find(live)

    return look


def identity(find: Find) -> Callable[[Hand, AzureHand, str], Awaitable[Any]]:
    async def look(_hand: Hand, azure: AzureHand, namespace: str) -> Any:
        found = await azure.identities(namespace)
        return find(found[0]) if found else None

    return look


def both(*looks: Look) -> Look:
    async def look(hand: Hand, azure: AzureHand, namespace: str) -> Any:
        return tuple([await each.look(hand, azure, namespace) for each in looks])

    return Look(", ".join(each.reaches for each in looks), look)


PERMITTED = Look("condition `Permitted` of chatbots", permitted)
IMAGE = Look("`image` of the Deployment", made(DEPLOYMENTS, lambda live: container(live)["image"]))
TYPE = Look("`type` of the Service", made(SERVICES, lambda live: live["spec"]["type"]))
REPLICAS = Look(
    "`replicas` of the Deployment", made(DEPLOYMENTS, lambda live: live["spec"]["replicas"])
)
BUDGET = Look("`DAILY_TOKEN_BUDGET` of the pods", made(DEPLOYMENTS, variable("DAILY_TOKEN_BUDGET")))
ENDPOINT = Look("`AZURE_OPENAI_ENDPOINT` of the pods", endpoint)
GROUP = Look("resource group of new identities", identity(lambda it: it["id"].split("/")[4]))
REGION = Look("region of new identities", identity(lambda it: it["location"]))
TAG = Look("tags of the identities", identity(lambda it: it["tags"].get("cost-center")))
THEIRS = Look(
    "the identity that chatbots run as",
    made(CHATBOTS, lambda live: live["status"].get("identity", {}).get("id")),
)

NOBODY: Spec = {"allowedNamespaces": {}}
MINE = "contoso.azurecr.io/mine:1"
PUBLIC = {"service": {"type": "LoadBalancer"}}
INSIDE = "service.beta.kubernetes.io/azure-load-balancer-internal"
INTERNAL = {"service": {"type": "LoadBalancer", "annotations": {INSIDE: "true"}}}


def admits(allowed: Spec) -> Reach:
    refused = "NamespaceNotAllowed"
    then = {"allowedNamespaces": allowed}
    return Reach(PERMITTED, then, (refused, "Allowed", refused), first=NOBODY)


def reaches(scene: Scene) -> dict[str, Reach]:
    """The fields, as paths below the account's spec."""
    name = scene.theirs.rpartition("/")[2]
    lists = Reach(
        both(PERMITTED, THEIRS),
        {"identity": {"existing": [{"name": name, "id": scene.theirs}]}},
        (
            ("IdentityNotAllowed", None),
            ("Allowed", scene.theirs),
            ("IdentityNotAllowed", scene.theirs),
        ),
        chatbot={"identity": {"existing": name}},
    )
    return {
        "endpoint": Reach(
            ENDPOINT,
            {"endpoint": "https://gateway.example/openai"},
            ("/contoso/", "https://gateway.example/openai/", "/contoso/"),
        ),
        "allowedNamespaces.names[]": admits({"names": ["others", scene.namespace]}),
        "allowedNamespaces.selector.matchLabels.*": admits(
            {"selector": {"matchLabels": {"kubernetes.io/metadata.name": scene.namespace}}}
        ),
        "allowedNamespaces.all": admits({"all": True}),
        "allowAnonymous": Reach(
            both(PERMITTED, TYPE),
            {"serviceTypes": ["LoadBalancer"], "allowAnonymous": True},
            (
                ("AnonymousNotAllowed", None),
                ("Allowed", "LoadBalancer"),
                ("AnonymousNotAllowed", "LoadBalancer"),
            ),
            first={"serviceTypes": ["LoadBalancer"]},
            chatbot=PUBLIC,
        ),
        "dailyTokenBudget": Reach(
            BUDGET, {"dailyTokenBudget": 1000}, (None, "500", None), chatbot={"replicas": 2}
        ),
        "deployments[]": Reach(
            PERMITTED,
            {"deployments": ["gpt-4o-mini"]},
            ("Allowed", "DeploymentNotAllowed", "Allowed"),
        ),
        "identity.resourceGroup": Reach(
            GROUP,
            {"identity": {"resourceGroup": fixed.IDENTITY_GROUP}},
            (None, fixed.IDENTITY_GROUP, fixed.IDENTITY_GROUP),
            first={"identity": {"resourceGroup": "nowhere"}},
        ),
        "identity.location": Reach(
            REGION,
            {"identity": {"location": "westeurope"}},
            (None, "westeurope", "westeurope"),
            first=NOBODY,
        ),
        "identity.tags.*": Reach(
            TAG, {"identity": {"tags": {"cost-center": "42"}}}, (None, "42", "42")
        ),
        "identity.existing[].name": lists,
        "identity.existing[].id": lists,
        "imageRepositories[]": Reach(
            both(PERMITTED, IMAGE),
            {"imageRepositories": ["contoso.azurecr.io/mine"]},
            (("ImageNotAllowed", None), ("Allowed", MINE), ("ImageNotAllowed", MINE)),
            chatbot={"image": MINE},
        ),
        "maxReplicas": Reach(REPLICAS, {"maxReplicas": 2}, (3, 2, 3), chatbot={"replicas": 3}),
        "serviceTypes[]": Reach(
            both(PERMITTED, TYPE),
            {"serviceTypes": ["ClusterIP", "LoadBalancer"]},
            (
                ("ServiceTypeNotAllowed", None),
                ("Allowed", "LoadBalancer"),
                ("ServiceTypeNotAllowed", "LoadBalancer"),
            ),
            chatbot=INTERNAL,
        ),
    }


SOMEWHERE = Scene("a-namespace", f"{IDENTITIES}/theirs")
FIELDS = reaches(SOMEWHERE)
SHOWN_ELSEWHERE = {
    "accountId": "cannot change: test_admission; what it means: test_permission",
}
