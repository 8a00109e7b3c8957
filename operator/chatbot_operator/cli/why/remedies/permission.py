"""Ways out of what an account does not allow. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from chatbot_operator.chatbot import CONFIRM
from chatbot_operator.cli.checks import Way
from chatbot_operator.cli.why.remedies.account import not_in_azure
from chatbot_operator.cli.why.remedies.known import (
    ANYBODY,
    AZURE,
    OWNERS,
    TEAM,
    Known,
    Remedy,
    az,
    commands_in,
    nearest,
)

NO_RESOURCE: Final = "There is no AzureOpenAIAccount "
"""How the operator tells an account without a resource from one that Azure does not have."""
_ALLOWS: Final = re.compile(r"; it allows ([^;]+?)\. ")
_REPOSITORY: Final = re.compile(r"@.*|:[^/]*$")


def not_found(known: Known) -> Iterator[Way]:
    """The name is wrong, or nobody has made the resource yet; or Azure has no such account."""
    if not known.message.startswith(NO_RESOURCE):
        yield from not_in_azure(known)
        return
    meant = nearest(known.account_name, known.accounts)
    if known.chatbot and meant:
        # openAI.account cannot change: another chatbot of the name takes this one's place.
        old, new = (f'"account": "{name}"' for name in (known.account_name, meant))
        get = known.here("get", "chatbot", known.name, "-o", "json")
        put = known.kubectl("replace", "--force", "-f", "-")
        yield Way(
            TEAM,
            f"if {meant} is meant, make the chatbot anew with it: the account cannot be changed.",
            (f"{get} | sed 's/{old}/{new}/' | {put}",),
        )
    yield Way(ANYBODY, "see which accounts there are.", (known.kubectl("get", "aoai"),))
    listed = az("cognitiveservices", "account", "list", "--query", "[].id", "-o", "tsv")
    yield Way(OWNERS, "else make the AzureOpenAIAccount; its accountId is one of these.", (listed,))


def as_said(known: Known) -> Iterator[Way]:
    """What the operator's own message says to type."""
    for command in commands_in(known.message):
        yield Way(AZURE, "have this typed.", (command,))


def namespace_not_allowed(known: Known) -> Iterator[Way]:
    """Let the namespace in, in the form that the account uses."""
    allowed = known.account.allowed if known.account else None
    if allowed and allowed.labels:
        labels = [f"{key}={value}" for key, value in sorted(allowed.labels.items())]
        command = known.kubectl("label", "namespace", known.namespace, *labels)
        yield Way(OWNERS, "give the namespace the labels that the account asks for.", (command,))
        return
    if allowed and not allowed.names:
        command = known.merge_account({"allowedNamespaces": {"names": [known.namespace]}})
    else:
        command = known.add_to_account("/spec/allowedNamespaces/names", known.namespace, there=True)
    yield Way(OWNERS, f"allow namespace {known.namespace}.", (command,))


def image_not_allowed(known: Known) -> Iterator[Way]:
    """Take the operator's own image, or have the repository allowed."""
    plain = known.patch_chatbot({"op": "remove", "path": "/spec/image"})
    yield Way(TEAM, "take the operator's own image.", (plain,))
    repository = _REPOSITORY.sub("", known.chatbot.image if known.chatbot else "")
    there = bool(known.account.limits.image_repositories) if known.account else None
    command = known.add_to_account("/spec/imageRepositories", repository, there=there)
    yield Way(OWNERS, "or allow images from this repository.", (command,))


def service_type_not_allowed(known: Known) -> Iterator[Way]:
    """Take a type that is allowed, or have this one allowed."""
    types = known.account.limits.service_types if known.account else ("ClusterIP",)
    yield Way(
        TEAM,
        f"take a Service of type {types[0]}.",
        (known.merge_chatbot({"service": {"type": types[0]}}),),
    )
    asked = known.chatbot.service_type if known.chatbot else ""
    command = known.add_to_account("/spec/serviceTypes", asked, there=True)
    yield Way(OWNERS, f"or allow type {asked}.", (command,))


def anonymous_not_allowed(known: Known) -> Iterator[Way]:
    """Keep strangers out, or have them allowed."""
    internal = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
    yield Way(
        TEAM,
        "give the Service an internal address, or say in spec.access who may chat.",
        (known.merge_chatbot({"service": {"annotations": internal}}),),
    )
    command = known.merge_account({"allowAnonymous": True})
    yield Way(OWNERS, "or let chatbots answer everybody.", (command,))


def identity_not_allowed(known: Known) -> Iterator[Way]:
    """Have the identity listed, or tagged by those who own it."""
    existing = known.chatbot.existing if known.chatbot else ""
    for command in commands_in(known.message):
        yield Way(AZURE, f"tag identity {existing} for this chatbot.", (command,))
    group = known.identity_group
    if existing and group:
        at = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{existing}"
        listed = bool(known.account.existing) if known.account else None
        value = {"name": existing, "id": at}
        command = known.add_to_account("/spec/identity/existing", value, there=listed)
        if known.account and not listed:
            command = known.merge_account({"identity": {"existing": [value]}})
        yield Way(OWNERS, "or list the identity, for every chatbot of the account.", (command,))
    elif existing:
        look = known.kubectl("edit", "aoai", known.account_name)
        yield Way(OWNERS, "list it by name and id in spec.identity.existing.", (look,))


def deployment_not_allowed(known: Known) -> Iterator[Way]:
    """Take a deployment that is allowed, or have this one allowed."""
    said = _ALLOWS.search(known.message)
    allowed = known.account.deployments if known.account else frozenset[str]()
    names = allowed or frozenset(said.group(1).split(", ") if said else ())
    yield from take_deployment(known, names)
    asked = known.chatbot.deployment if known.chatbot else ""
    there = bool(allowed) if known.account else None
    command = known.add_to_account("/spec/deployments", asked, there=there)
    yield Way(OWNERS, f"or allow {asked}.", (command,))


def take_deployment(known: Known, names: frozenset[str]) -> Iterator[Way]:
    """Have the chatbot use one of these deployments, the one most like what it says now."""
    asked = known.chatbot.deployment if known.chatbot else ""
    meant = nearest(asked, names)
    if meant:
        command = known.merge_chatbot({"openAI": {"deployment": meant}})
        others = ", ".join(sorted(names))
        yield Way(TEAM, f"take a deployment that there is: {others}.", (command,))


def held(known: Known) -> Iterator[Way]:
    """Confirm, or give permission back."""
    yield Way(
        OWNERS,
        "give the permission back, if it was not meant to go: as for the reason named above.",
        (known.kubectl("get", "aoai", known.account_name, "-o", "yaml"),),
    )
    command = known.here("annotate", "chatbot", known.name, f"{CONFIRM}=true")
    yield Way(OWNERS, "or confirm that this chatbot is to lose its access.", (command,))


def new_permission(known: Known) -> Iterator[Way]:
    """Permitted says why it was taken."""
    command = known.kubectl("get", "aoai", known.account_name, "-o", "yaml")
    yield Way(
        OWNERS, "give permission again as Permitted says: then everything comes back.", (command,)
    )


def remaining(known: Known) -> Iterator[Way]:
    """Delete the assignments or credentials by which the identity still gets in."""
    found = re.findall(r"([-0-9a-fA-F]{36}) on (/[-\w./()]+[-\w()])", known.message)
    provider = "providers/Microsoft.Authorization/roleAssignments"
    ids = [f"{scope}/{provider}/{name}" for name, scope in found]
    if ids:
        command = az("role", "assignment", "delete", "--ids", *ids)
        yield Way(AZURE, "take the remaining access away.", (command,))
        return
    yield from as_said(known)


def resource_group(known: Known) -> Iterator[Way]:
    """Say where identities go: beside the account, if nowhere better."""
    group = known.account.resource_group if known.account else "GROUP"
    command = known.merge_account({"identity": {"resourceGroup": group}})
    yield Way(
        OWNERS,
        "say where identities go; best a group that holds nothing else.",
        (command,),
    )


PERMISSION: Final[Mapping[str, Remedy]] = {
    "AccountNotFound": Remedy(not_found),
    "OrphanedIdentity": Remedy(as_said),
    "NamespaceNotAllowed": Remedy(namespace_not_allowed),
    "ImageNotAllowed": Remedy(image_not_allowed),
    "ServiceTypeNotAllowed": Remedy(service_type_not_allowed),
    "AnonymousNotAllowed": Remedy(anonymous_not_allowed),
    "IdentityNotAllowed": Remedy(identity_not_allowed),
    "DeploymentNotAllowed": Remedy(deployment_not_allowed),
    "MassRevocationHeld": Remedy(held),
    "Withdrawn": Remedy(new_permission),
    "AccessRemains": Remedy(remaining),
    "IdentityResourceGroupMissing": Remedy(resource_group),
}
