"""What somebody asks about, and how it is in the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.plan import documents
from chatbot_operator.cli.plan.laying import Laid, lay
from chatbot_operator.kube.dry_run import DryRun
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, Object, Resource
from chatbot_operator.reconcile import Key

ACCOUNT: Final = "aoai/"
"""What stands before an account's name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know, as on the command line."""

    names: Sequence[str]
    files: Sequence[str]
    deleted: Sequence[str]
    operator: str
    settings: Sequence[str]


async def require_kinds(cluster: DryRun) -> None:
    """See that the cluster knows chatbots; raises UnansweredError."""
    if not await cluster.serves(CHATBOTS):
        raise UnansweredError(
            f"The cluster knows no {CHATBOTS.kind} of {CHATBOTS.api_version}: nothing can be said"
            " of a manifest. Install the CRDs first: `kubectl apply -f crds/`."
        )


async def laid_over(
    cluster: DryRun, asked: Asked, namespace: str
) -> tuple[dict[Key, Laid], tuple[str, ...]]:
    """Give what is asked about, by key; and in words what a plan says nothing of."""
    found, others = documents.read(asked.files, namespace)
    laid = [await lay(cluster, resource, manifest) for resource, manifest in found]
    for name in asked.names:
        resource, live = await _live(cluster, namespace, name)
        laid.append(Laid(resource, live, live))
    for name in asked.deleted:
        resource, live = await _live(cluster, namespace, name)
        laid.append(Laid(resource, live, None))
    for each in laid:
        _require_known(each)
    return {_key(each): each for each in laid}, tuple(others)


def _require_known(laid: Laid) -> None:
    """See that the cluster fills in the defaults that this program goes by."""
    parse = {CHATBOTS: Chatbot.parse, ACCOUNTS: Account.parse}.get(laid.resource)
    # A dry run stores no version.
    metadata = {"resourceVersion": "", **laid.body["metadata"]}
    try:
        if parse is not None:
            parse({**laid.body, "metadata": metadata})
    except KeyError as missing:
        raise UnansweredError(
            f"{laid.resource.kind} {metadata['name']} has no {missing}, which the CRD of this"
            " version gives it: the CRDs in the cluster are older than this program. Apply those of"
            " this version: `kubectl apply -f crds/`."
        ) from missing


async def _live(cluster: DryRun, namespace: str, name: str) -> tuple[Resource, Object]:
    """Read what a person names: a chatbot, or an account as aoai/NAME."""
    resource, where = CHATBOTS, namespace
    listing = f"kubectl get chatbots -n {namespace}"
    if name.startswith(ACCOUNT):
        resource, where, name = ACCOUNTS, "", name.removeprefix(ACCOUNT)
        listing = "kubectl get aoai"
    if not name:
        raise UnansweredError(f"The name is empty; `{listing}` lists those that are there.")
    live = await cluster.get(resource, where, name)
    if live is None:
        raise UnansweredError(
            f"There is no {resource.kind} {f'{where}/' if where else ''}{name}. `{listing}` lists"
            " those that are there."
        )
    return resource, live


def _key(laid: Laid) -> Key:
    metadata = laid.body["metadata"]
    return Key(laid.resource, metadata.get("namespace", ""), metadata["name"])


def settings(words: Sequence[str]) -> dict[str, str]:
    """Read settings as NAME=VALUE; raises UnansweredError."""
    found = {}
    for word in words:
        name, is_, value = word.partition("=")
        if not is_:
            raise UnansweredError(f"--settings takes NAME=VALUE, not {word}.")
        found[name] = value
    return found
