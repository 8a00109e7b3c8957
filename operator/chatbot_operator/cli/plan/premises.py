"""What a plan rests on: the operator's settings and what they are together with the cluster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli import installed
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.installed import Installed
from chatbot_operator.cli.plan.assumed import unknown
from chatbot_operator.cli.unread import Unread, allowed
from chatbot_operator.kube.dry_run import DryRun
from chatbot_operator.manifests.pods import CA_KEY
from chatbot_operator.ports import (
    CONFIG_MAPS,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    Installation,
    Object,
    Resource,
)
from chatbot_operator.settings import Settings, SettingsError, installation, issuer

TENANT: Final = "azure.workload.identity/tenant-id"
NOBODY: Final = "nobody"
TOKEN_SECONDS: Final = 600
"""The least that the API server gives."""


@dataclass(frozen=True, slots=True)
class Premises:
    """What holds for the installation; `operator` is what was found of it, None: nothing.

    `assumed` says in words what was not found out, and how to say it.
    """

    installation: Installation
    operator: Installed | None
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hints:
    """What chatbots that are there tell of the operator that made them."""

    image: str = ""
    issuer: str = ""
    tenant_id: str = ""
    resource_group: str = ""
    authorities: str = ""


async def hints(cluster: DryRun, chatbots: list[Object]) -> Hints:
    """Look at chatbots that are there, and at what was made for them."""
    found = Hints()
    for body in chatbots:
        chatbot = Chatbot.parse(body)
        resolved = chatbot.status.get("resolved", {})
        account = await _seen(cluster, SERVICE_ACCOUNTS, chatbot)
        given = await _seen(cluster, CONFIG_MAPS, chatbot)
        group = [*chatbot.recorded.identity_id.split("/"), "", "", "", "", ""][4]
        found = Hints(
            image=found.image or ("" if chatbot.image else resolved.get("image", "")),
            issuer=found.issuer or chatbot.recorded.issuer,
            tenant_id=found.tenant_id or account["metadata"].get("annotations", {}).get(TENANT, ""),
            resource_group=found.resource_group or ("" if chatbot.existing else group),
            authorities=found.authorities or given.get("data", {}).get(CA_KEY, ""),
        )
    return found


async def _seen(cluster: DryRun, resource: Resource, chatbot: Chatbot) -> Object:
    where = chatbot.namespace, chatbot.name
    found = await allowed(cluster.get(resource, *where), f"get {resource.plural}")
    return found if found and not isinstance(found, Unread) else {"metadata": {}}


async def premises(
    cluster: DryRun,
    told: Hints,
    *,
    namespaces: set[str],
    operator: str,
    given: Mapping[str, str],
    owner: Callable[[], Awaitable[str]],
) -> Premises:
    """Find the operator that looks after some namespaces, and what holds for it.

    `operator` narrows the search to a namespace. `given` are settings to go by instead of an
    operator's. `owner` reads the owner id from tags in Azure. Raises UnansweredError.
    """
    assumed: list[str] = []
    found = None if given else await _operator(cluster, namespaces, operator, assumed)
    if found is not None and found.settings is not None:
        settings = found.settings
    else:
        settings = _assumed(given, told, assumed)
    authorities = told.authorities if settings.chatbot_ca_file else ""
    if settings.chatbot_ca_file and not authorities:
        assumed.append("What CHATBOT_CA_FILE holds is not known here: left out.")
    whole = installation(
        settings,
        cluster=settings.owner_id or await _cluster(cluster, owner, assumed),
        issuer=await _issuer(cluster, told, min(namespaces, default="default"), assumed),
        authorities=authorities,
    )
    return Premises(whole, found, tuple(assumed))


async def _operator(
    cluster: DryRun, namespaces: set[str], narrowed: str, assumed: list[str]
) -> Installed | None:
    where = f"in namespace {narrowed}" if narrowed else "in the whole cluster"
    found = await allowed(
        installed.find(cluster, narrowed), f"look for the operator (list deployments, pods {where})"
    )
    if isinstance(found, Unread):
        assumed.append(
            f"The operator's settings are {found}, so they are assumed: a change that comes of them"
            " alone, such as of its namespace in a NetworkPolicy, may be none. Name its namespace"
            " with --operator-namespace if you may look there, or say them with --settings"
            " NAME=VALUE."
        )
        return None
    if not found:
        assumed.append(
            "No operator is installed"
            + (f" in namespace {narrowed}" if narrowed else "")
            + ": its settings are assumed. Say them with --settings NAME=VALUE."
        )
        return None
    ours = [each for each in found if _watches(each, namespaces)] or found
    if len(ours) > 1:
        where = ", ".join(sorted(each.namespace for each in ours))
        raise UnansweredError(
            f"Several operators are there, in {where}. Choose one with --operator-namespace."
        )
    if ours[0].stopped():
        raise UnansweredError(
            f"The operator in namespace {ours[0].namespace} has no pod: nothing would happen,"
            " and what its pods are told by the webhook is not known. `kubectl chatbot doctor` says"
            " what gets it to run."
        )
    if ours[0].settings is None:
        raise UnansweredError(
            f"The operator in namespace {ours[0].namespace} cannot run with its settings:"
            f" {ours[0].trouble}. Mend them, or say others with --settings NAME=VALUE."
        )
    if not ours[0].ready:
        assumed.append(
            f"No pod of the operator in namespace {ours[0].namespace} is ready: nothing of this"
            " happens before one is."
        )
    return ours[0]


def _watches(one: Installed, namespaces: set[str]) -> bool:
    watched = one.settings.watched if one.settings else ()
    return not watched or namespaces <= set(watched)


def _assumed(given: Mapping[str, str], told: Hints, assumed: list[str]) -> Settings:
    """Give settings as far as they were said, or chatbots that are there tell them."""
    known = {
        "CHATBOT_IMAGE": told.image or unknown("CHATBOT_IMAGE"),
        "IDENTITY_RESOURCE_GROUP": told.resource_group or unknown("IDENTITY_RESOURCE_GROUP"),
        "AZURE_CLIENT_ID": unknown("AZURE_CLIENT_ID"),
        "AZURE_TENANT_ID": told.tenant_id or unknown("AZURE_TENANT_ID"),
        "AZURE_FEDERATED_TOKEN_FILE": "/",
    }
    try:
        settings = Settings.parse({**known, **given})
    except SettingsError as error:
        raise UnansweredError(f"--settings: {error}") from error
    told_of = {"CHATBOT_IMAGE": told.image, "IDENTITY_RESOURCE_GROUP": told.resource_group}
    assumed += [
        f"{name} of the operator is taken for {value}, as of its chatbots that are there."
        if value
        else f"{name} of the operator is not known."
        for name, value in told_of.items()
        if name not in given
    ]
    return settings


async def _cluster(cluster: DryRun, owner: Callable[[], Awaitable[str]], assumed: list[str]) -> str:
    """Give the owner id: the uid of kube-system, else what identities are marked with."""
    system = await allowed(cluster.get(NAMESPACES, "", "kube-system"), "get namespace kube-system")
    if system and not isinstance(system, Unread):
        return str(system["metadata"]["uid"])
    marked = await owner()
    if marked:
        return marked
    assumed.append(
        f"The uid of namespace kube-system is {system}. What is made in Azure is named after it:"
        " new identities will have other names than these. Say it with --settings OWNER_ID=UID."
    )
    return unknown("OWNER_ID")


async def _issuer(cluster: DryRun, told: Hints, namespace: str, assumed: list[str]) -> str:
    """Give the issuer of the cluster's tokens: as published, as recorded, or as a token has it.

    A token for nobody's audience is no right, and it is of the person's own namespace.
    """
    published = await allowed(cluster.issuer(), "get /.well-known/openid-configuration")
    if not isinstance(published, Unread):
        return published
    if told.issuer:
        return told.issuer
    asking = cluster.token(namespace, "default", audience=NOBODY, seconds=TOKEN_SECONDS)
    token = await allowed(asking, f"create serviceaccounts/token in namespace {namespace}")
    if not isinstance(token, Unread):
        return issuer(token)
    assumed.append(f"The issuer of the cluster's tokens is {published}, nor {token.right}.")
    return unknown("issuer")
