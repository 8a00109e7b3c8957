"""Ways out of what Azure Resource Manager and Entra refuse. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from chatbot_operator.az import delete_credential, delete_identity
from chatbot_operator.cli.checks import Way
from chatbot_operator.cli.why.remedies.account import less_rights
from chatbot_operator.cli.why.remedies.known import (
    ANYBODY,
    AZURE,
    OWNERS,
    TEAM,
    Known,
    Remedy,
    az,
    commands_in,
)
from chatbot_operator.cli.why.remedies.permission import as_said
from chatbot_operator.naming import OPENAI_USER_ROLE, TAG_PREFIX

_IDENTITY: Final = re.compile(
    r"/subscriptions/[-0-9a-fA-F]{36}/resourceGroups/[-\w.()]{1,90}"
    r"/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/[-\w]{3,128}",
    re.ASCII | re.IGNORECASE,
)
_ASSIGNMENT: Final = re.compile(
    r"Role assignment ([-0-9a-fA-F]{36}) on (/[-\w./()]*[-\w()])", re.ASCII
)
_CREDENTIAL: Final = re.compile(r"Federated credential ([-\w]{3,120}) lets ", re.ASCII)
_LOCKED: Final = re.compile(r"are locked: '(/subscriptions/[-\w./()]+)'", re.ASCII)
"""The scope that bears the lock, as Resource Manager names it; not always the lock itself."""
_PROVIDER: Final = re.compile(r"\bMicrosoft\.[A-Z]\w+", re.ASCII)
_KIND: Final = re.compile(r"^([A-Z][A-Za-z]+) ([-a-z0-9.]+) exists and is not this chatbot's")


def look_into_operator(known: Known) -> Iterator[Way]:
    """Read what the operator meets."""
    yield Way(
        ANYBODY,
        "read what the operator meets, and ask the doctor.",
        (known.logs, known.kubectl("chatbot", "doctor")),
    )


def earlier_life(known: Known) -> Iterator[Way]:
    """Take the earlier chatbot's identity over, or have another made."""
    rebind = known.here("chatbot", "rebind", known.name)
    yield Way(AZURE, "take the identity over, after a look at the rights that it holds.", (rebind,))
    found, uid = _IDENTITY.search(known.message), known.chatbot.uid if known.chatbot else ""
    if found:
        tag = ("--operation", "Merge", "--tags", f"{TAG_PREFIX}uid={uid}")
        yield Way(
            AZURE,
            "or the same by the Azure CLI; or delete it, and another one is made.",
            (
                az("tag", "update", "--resource-id", found.group(), *tag),
                delete_identity(found.group()),
            ),
        )


def conflict(known: Known) -> Iterator[Way]:
    """See what bears the name, and delete it if nobody needs it."""
    kind = _KIND.search(known.message)
    identity, assignment = _IDENTITY.search(known.message), _ASSIGNMENT.search(known.message)
    said = commands_in(known.message)
    if kind:
        what = (kind.group(1).lower(), kind.group(2))
        yield Way(
            TEAM,
            "look at it, and delete it if nobody needs it; or give the chatbot another name.",
            (known.here("get", *what, "-o", "yaml"), known.here("delete", *what)),
        )
    elif said:
        yield Way(AZURE, "look at it, and delete it if nobody needs it.", said)
    elif identity:
        show = az("identity", "show", "--ids", identity.group())
        yield Way(
            AZURE,
            "look at it, and delete it if nobody needs it.",
            (show, delete_identity(identity.group())),
        )
    elif assignment:
        name, scope = assignment.groups()
        at = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        command = az("role", "assignment", "delete", "--ids", at)
        yield Way(AZURE, "delete it if nobody needs it.", (command,))
    else:
        yield Way(ANYBODY, "see what of this name there is.", (known.here("get", "all"),))


def full(known: Known) -> Iterator[Way]:
    """Make room among the identity's credentials."""
    where = known.of_identity("--identity-name")
    listed = az("identity", "federated-credential", "list", *where, "-o", "table")
    delete = az("identity", "federated-credential", "delete", "--name", "NAME", *where)
    yield Way(AZURE, "delete credentials that nobody needs, by NAME.", (listed, delete))


def rights_or_names(known: Known) -> Iterator[Way]:
    """The operator lacks a right, or what it names is not there."""
    yield from less_rights(known)
    if known.account_name:
        look = known.kubectl("get", "aoai", known.account_name, "-o", "yaml")
        yield Way(OWNERS, "or correct accountId and identity.resourceGroup.", (look,))


def own_token(known: Known) -> Iterator[Way]:
    """The operator is itself a pod with workload identity."""
    pods = known.kubectl(
        "get", "pods", "-n", known.home, "-l", "app.kubernetes.io/name=chatbot-operator"
    )
    yield Way(
        AZURE,
        "see which federated credential the operator's identity lacks: by the doctor, or by"
        " `kubectl chatbot why pod/NAME` of one of its pods.",
        (known.kubectl("chatbot", "doctor"), pods),
    )


def group_missing(known: Known) -> Iterator[Way]:
    """Make the group, or name another."""
    group = known.identity_group.rpartition("/")[2] or "GROUP"
    place = (known.account.location if known.account else "") or "LOCATION"
    make = az("group", "create", "--name", group, "--location", place, *known.subscription)
    yield Way(AZURE, "make the resource group.", (make,))
    other = known.merge_account({"identity": {"resourceGroup": "GROUP"}})
    yield Way(OWNERS, "or name another GROUP for the identities.", (other,))


def subscription_missing(known: Known) -> Iterator[Way]:
    """See whether it is there, and give the operator a right in it."""
    show = az("account", "show", *known.subscription)
    yield Way(AZURE, "see whether the subscription is there; give the operator its roles.", (show,))
    yield from less_rights(known)


def register(known: Known) -> Iterator[Way]:
    """Register the provider that Azure names."""
    found = _PROVIDER.search(known.message)
    provider = found.group() if found else "Microsoft.ManagedIdentity"
    command = az("provider", "register", "--namespace", provider, *known.subscription, "--wait")
    yield Way(AZURE, "register the resource provider.", (command,))


def policy(known: Known) -> Iterator[Way]:
    """Find the policy."""
    scope = known.identity_group or known.account_id or "SCOPE"
    listed = az("policy", "assignment", "list", "--scope", scope, "-o", "table")
    yield Way(AZURE, "find the policy, and have it changed or exempted.", (listed,))
    look = known.kubectl("edit", "aoai", known.account_name)
    yield Way(OWNERS, "or make spec.identity (location, tags, group) as it asks.", (look,))


def unlock(known: Known) -> Iterator[Way]:
    """Find the lock, and take it off."""
    found = _LOCKED.search(known.message)
    scope = found.group(1) if found else known.identity_group
    group = ("--resource-group", scope.split("/")[4]) if "/resourcegroups/" in scope.lower() else ()
    listed = az("lock", "list", *group, *known.subscription, "-o", "table")
    named = scope if "/locks/" in scope else "LOCK_ID"
    delete = az("lock", "delete", "--ids", named)
    yield Way(
        AZURE, "find the lock and who put it there, and delete it if it may go.", (listed, delete)
    )


def quota(known: Known) -> Iterator[Way]:
    """See what uses it up."""
    listed = az("identity", "list", *known.subscription, "-o", "table")
    yield Way(AZURE, "delete identities that nobody needs, or ask for more quota.", (listed,))


def assignments_full(known: Known) -> Iterator[Way]:
    """Delete assignments of principals that are gone.

    https://learn.microsoft.com/azure/role-based-access-control/troubleshoot-limits
    """
    query = "[?principalName==''].id"
    listed = az(
        *("role", "assignment", "list", "--all", *known.subscription, "--query", query, "-o", "tsv")
    )
    yield Way(AZURE, "delete assignments of principals that are gone.", (listed,))


def assignments_of_account(known: Known) -> Iterator[Way]:
    """See which role assignments the account has."""
    scope = known.account_id or "ACCOUNT_ID"
    listed = az("role", "assignment", "list", "--scope", scope, "-o", "json")
    yield Way(AZURE, "find the assignment, and delete it if nobody needs it.", (listed,))


def role_missing(known: Known) -> Iterator[Way]:
    """See whether this cloud has the role."""
    show = az("role", "definition", "list", "--name", OPENAI_USER_ROLE, *known.subscription)
    yield Way(
        AZURE,
        "see whether the cloud has the role; compare AZURE_CLOUD of the operator.",
        (az("cloud", "show"), show),
    )


def identity_elsewhere(known: Known) -> Iterator[Way]:
    """Set the region back, or have the identity made again."""
    where = known.of_identity("--name")
    show = az("identity", "show", *where, "--query", "location")
    yield Way(OWNERS, "set spec.identity.location back to the region it is in.", (show,))
    yield Way(
        AZURE, "or delete the identity: it is made again.", (az("identity", "delete", *where),)
    )


def other_region(known: Known) -> Iterator[Way]:
    """Name a region that takes federated credentials."""
    at = known.account
    place = at.found_location if at and at.found_location != at.location else "REGION"
    command = known.merge_account({"identity": {"location": place}})
    yield Way(
        OWNERS, "make identities in another region; it need not be the cluster's.", (command,)
    )


def extra_assignments(known: Known) -> Iterator[Way]:
    """Take the other roles away."""
    provider = "providers/Microsoft.Authorization/roleAssignments"
    ids = [f"{scope}/{provider}/{name}" for name, scope in _ASSIGNMENT.findall(known.message)]
    if ids:
        command = az("role", "assignment", "delete", "--ids", *ids)
        yield Way(AZURE, "take the other roles away.", (command,))


def extra_credentials(known: Known) -> Iterator[Way]:
    """Take the other credentials away."""
    names = _CREDENTIAL.findall(known.message) if known.identity_id else ()
    commands = tuple(delete_credential(known.identity_id, name) for name in names)
    if commands:
        yield Way(AZURE, "take the credentials away that are not the operator's.", commands)
    else:
        yield from full(known)


def shared_identity(known: Known) -> Iterator[Way]:
    """See what else it can do."""
    who = known.principal_id or "PRINCIPAL_ID"
    listed = az(
        "role", "assignment", "list", "--all", "--assignee", who, *known.subscription, "-o", "table"
    )
    yield Way(
        ANYBODY, "nothing to do if that is meant; else see what the identity can do.", (listed,)
    )


AZURE_REFUSES: Final[Mapping[str, Remedy]] = {
    "OwnedByEarlierLife": Remedy(earlier_life),
    "OwnershipConflict": Remedy(conflict),
    "IdentityNotThere": Remedy(as_said),
    "CredentialNotThere": Remedy(as_said),
    "RoleNotAssigned": Remedy(as_said),
    "FederationFull": Remedy(full),
    "FederationNearlyFull": Remedy(full),
    "AzureUnreachable": Remedy(look_into_operator, within=300),
    "AzureThrottled": Remedy(look_into_operator, within=900),
    "AzureError": Remedy(look_into_operator, within=600),
    "ConcurrentWrites": Remedy(look_into_operator, within=300),
    "AzureResourceMissing": Remedy(look_into_operator, within=120),
    "RoleAssignmentExists": Remedy(look_into_operator, within=120),
    "PrincipalReplicating": Remedy(look_into_operator, within=300),
    "EntraUnavailable": Remedy(look_into_operator, within=600),
    "Creating": Remedy(look_into_operator, within=60),
    "AzureRefused": Remedy(look_into_operator),
    "AzureAccessDenied": Remedy(rights_or_names),
    "OperatorNotAuthenticated": Remedy(own_token),
    "ResourceGroupNotFound": Remedy(group_missing),
    "SubscriptionNotFound": Remedy(subscription_missing),
    "ProviderNotRegistered": Remedy(register),
    "DeniedByAzurePolicy": Remedy(policy),
    "ResourceLocked": Remedy(unlock),
    "QuotaExceeded": Remedy(quota),
    "RoleAssignmentLimit": Remedy(assignments_full),
    "RoleAssignmentNameTaken": Remedy(assignments_of_account),
    "RoleMissing": Remedy(role_missing),
    "IdentityLocationConflict": Remedy(identity_elsewhere),
    "RegionWithoutFederation": Remedy(other_region),
    "ExtraAssignment": Remedy(extra_assignments),
    "ExtraCredential": Remedy(extra_credentials),
    "SharedIdentity": Remedy(shared_identity),
}
