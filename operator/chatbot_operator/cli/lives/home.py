"""The operators of a cluster, and what tells their things from those of others."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar

from chatbot_operator.account import Account
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.installed import Installed, find
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.unread import allowed
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.client import Cluster
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, NAMESPACES, Installation, Object
from chatbot_operator.settings import Settings, installation

T = TypeVar("T")

DECISIVE: Final = ("OWNER_ID", "IDENTITY_RESOURCE_GROUP", "WATCH_NAMESPACES")
"""Settings that say whose things are whose, and where they are."""


@dataclass(frozen=True, slots=True)
class Home:
    """A cluster: its operators, its accounts, and all its chatbots as their resources say.

    `uid` is that of kube-system; `issuer` the `iss` of the cluster's tokens, empty where it was
    not told. `operators` may be none.
    """

    uid: str
    issuer: str
    operators: tuple[tuple[Installed, Installation], ...]
    accounts: tuple[Account, ...]
    chatbots: tuple[Object, ...]

    @property
    def installations(self) -> tuple[Installation, ...]:
        """What holds for each operator; where none is installed, for one with default settings."""
        found = tuple(installation for _, installation in self.operators)
        nobody = Installation(cluster=self.uid, issuer=self.issuer, tenant_id="", image="")
        return found or (nobody,)

    @property
    def owners(self) -> frozenset[str]:
        """The owner ids by which the operators mark what is theirs."""
        return frozenset(each.cluster for each in self.installations)

    def account(self, name: str) -> Account | None:
        """Give the account object of this name."""
        return next((each for each in self.accounts if each.name == name), None)

    def of(self, namespace: str) -> Installation:
        """Give the operator of a namespace's chatbots; raises UnansweredError if it is not one."""
        found = [each for _, each in self.operators if each.watches(namespace)]
        if len(found) == 1:
            return found[0]
        said = f"{len(found)} operators watch" if found else "No operator watches"
        raise UnansweredError(f"{said} namespace {namespace}: `kubectl chatbot doctor` tells more.")

    async def require_same(self, cluster: Cluster) -> None:
        """See that who just said that something is not there is the cluster that was looked at.

        A definition that is gone, or another API server at the address, says so of everything.
        """
        system = await cluster.get(NAMESPACES, "", "kube-system")
        same = system is not None and system["metadata"]["uid"] == self.uid
        if not same or not await cluster.serves(CHATBOTS):
            raise UnansweredError("The cluster is not what it was a moment ago; look again.")


async def look(reach: Reach, *, fleet: bool = True) -> Home:
    """Look at the cluster; raises UnansweredError where it does not tell all that counts here.

    `fleet`: with all its chatbots; without, whoever may see but some can look, too.

    A list that may not be read, or a kind that is not there, must never look like no chatbots.
    """
    cluster = await reach.cluster()
    if not await cluster.serves(CHATBOTS):
        raise UnansweredError(
            "The cluster knows no AzureOpenAIChatbots (their CustomResourceDefinition is not"
            " installed), so nothing can be said of which are gone. Install the definitions, or"
            " look at the cluster that has them: --context."
        )
    chatbots = await _seen(CHATBOTS.plural, cluster.every(CHATBOTS)) if fleet else []
    accounts = await _seen(ACCOUNTS.plural, cluster.every(ACCOUNTS))
    installed = await _seen("deployments (the operator's settings)", find(cluster))
    system = await cluster.get(NAMESPACES, "", "kube-system")
    if system is None:
        raise UnansweredError("There is no namespace kube-system, whose uid tells this cluster.")
    uid, issuer = system["metadata"]["uid"], await _issuer(cluster)
    return Home(
        uid=uid,
        issuer=issuer,
        operators=tuple((each, _installation(_settings(each), uid, issuer)) for each in installed),
        accounts=tuple(Account.parse(each) for each in accounts),
        chatbots=tuple(chatbots),
    )


async def _issuer(cluster: Cluster) -> str:
    found = await allowed(cluster.issuer(), "read /.well-known/openid-configuration")
    return found if isinstance(found, str) else ""


async def _seen(what: str, asking: Awaitable[T]) -> T:
    try:
        return await asking
    except KubernetesRefusal as refusal:
        if refusal.status != HTTPStatus.FORBIDDEN:
            raise
        raise UnansweredError(
            f"You may not list {what} in all namespaces, and what is not seen must not be taken for"
            f" gone. Have that right given to you. ({refusal.message})"
        ) from refusal


def _settings(operator: Installed) -> Settings:
    """Give its settings; raises UnansweredError where they cannot be told from here.

    An owner id that is not seen would make the things of others its own.
    """
    unsaid = [name for name in operator.unsaid if name in DECISIVE]
    if unsaid:
        raise UnansweredError(
            f"The operator in namespace {operator.namespace} takes {', '.join(unsaid)}"
            " from a ConfigMap or a Secret, which is not read here: whose things are its own is"
            " not known. Give the value in its Deployment."
        )
    if operator.stopped():
        raise UnansweredError(
            f"The operator in namespace {operator.namespace} has no pod, and what its pods are told"
            " by the webhook is not known. `kubectl chatbot doctor` says what gets it to run."
        )
    if operator.settings is None:
        absent = "" if operator.ready else " It has no pod that is ready, which would tell more."
        raise UnansweredError(
            f"The settings of the operator in namespace {operator.namespace} are not known:"
            f" {operator.trouble}.{absent} `kubectl chatbot doctor` looks after it."
        )
    return operator.settings


def _installation(settings: Settings, uid: str, issuer: str) -> Installation:
    owner = settings.owner_id or uid
    return installation(settings, cluster=owner, issuer=issuer, authorities="")
