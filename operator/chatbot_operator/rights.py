"""Whether the operator may do in Azure what it has to, and no more that could hurt. Pure.

https://learn.microsoft.com/azure/role-based-access-control/role-definitions tells how actions are
matched: what one role lets and does not itself take back is let, whatever the others say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from chatbot_operator.naming import OPENAI_USER_ROLE
from chatbot_operator.ports import Manage, Permission
from chatbot_operator.status import Condition, false, true

_ASSIGN: Final = "Microsoft.Authorization/roleAssignments/write"

ON_ACCOUNT: Final = (
    "Microsoft.CognitiveServices/accounts/read",
    "Microsoft.CognitiveServices/accounts/deployments/read",
    "Microsoft.Authorization/roleAssignments/read",
    _ASSIGN,
    "Microsoft.Authorization/roleAssignments/delete",
)
_IDENTITY: Final = "Microsoft.ManagedIdentity/userAssignedIdentities"
_CREDENTIALS: Final = f"{_IDENTITY}/federatedIdentityCredentials"
ON_GROUP: Final = tuple(
    f"{_IDENTITY}{part}/{verb}"
    for part in ("", "/federatedIdentityCredentials")
    for verb in ("read", "write", "delete")
)

_TOO_MUCH_ON_ACCOUNT: Final = {
    "Microsoft.CognitiveServices/accounts/listKeys/action": "read the account's keys",
    "Microsoft.CognitiveServices/accounts/write": "change the account",
    "Microsoft.CognitiveServices/accounts/delete": "delete the account",
    "Microsoft.CognitiveServices/accounts/deployments/write": "change model deployments",
}
_TOO_MUCH_ON_GROUP: Final = {
    _ASSIGN: "assign roles on the identities' resource group",
    "Microsoft.Resources/subscriptions/resourceGroups/delete": "delete that group",
    "Microsoft.Compute/virtualMachines/write": "run virtual machines with the identities",
}
_DATA: Final = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def fit(
    account: list[Permission], group: list[Permission] | None, manage: Manage = Manage.ALL
) -> Condition:
    """Compare what is held on the account and on the identities' group with what is needed.

    `group` None: nobody has said yet which group that is.
    """
    less = lacking(account, group, manage)
    if less:
        return false(
            "RightsFit",
            "HoldsLess",
            f"The operator's identity lacks {', '.join(less)}. {_fix(manage)}",
        )
    more = surplus(account, group, manage)
    if more:
        return false(
            "RightsFit",
            "HoldsMore",
            f"The operator's identity could {', '.join(more)}: more than it needs. Take the roles"
            " away that let it, and put the condition deploy/azure/one-role.condition on the one by"
            " which it assigns roles.",
        )
    return true("RightsFit", "HoldsWhatItNeeds", "The operator holds what it needs, and no more.")


def lacking(account: list[Permission], group: list[Permission] | None, manage: Manage) -> list[str]:
    """Name the actions that are needed and not held, and on what; `group` None: not known which."""
    needed = [a for a in ON_ACCOUNT if manage.roles or a.endswith("/read")]
    less = [f"{a} on the account" for a in needed if not _holds(account, a)]
    return less + (lacking_on_group(group, manage) if group is not None else [])


def lacking_on_group(group: list[Permission], manage: Manage) -> list[str]:
    """Name the actions that are needed and not held on the identities' resource group."""
    needed = [a for a in ON_GROUP if manage.identities or a.endswith("/read")]
    return [f"{a} on the identities' resource group" for a in needed if not _holds(group, a)]


def lacking_on_shared(identity: list[Permission], manage: Manage) -> list[str]:
    """Name the actions that are needed and not held on an identity that others made.

    Its credentials are written, and nothing else about it.
    """
    needed = (f"{_IDENTITY}/read", *(a for a in ON_GROUP if _CREDENTIALS in a))
    wanted = (a for a in needed if manage.identities or a.endswith("/read"))
    return [a for a in wanted if not _holds(identity, a)]


def _fix(manage: Manage) -> str:
    on_account = "Role Based Access Control Administrator" if manage.roles else "Reader"
    limit = ", with the condition deploy/azure/one-role.condition," if manage.roles else ""
    on_group = "Managed Identity Contributor" if manage.identities else "Reader"
    return (
        f"Assign it {on_account} on the account{limit} and {on_group} on the identities' resource"
        " group."
    )


def surplus(account: list[Permission], group: list[Permission] | None, manage: Manage) -> list[str]:
    """Say what of more than is needed would hurt most."""
    group = group or []
    more = [what for action, what in _TOO_MUCH_ON_ACCOUNT.items() if _holds(account, action)]
    more += [what for action, what in _TOO_MUCH_ON_GROUP.items() if _holds(group, action)]
    assigning = [each for each in account if _lets(each, _ASSIGN)]
    if any(not _one_role(each.condition) for each in assigning):
        more.append("assign any role on the account")
    elif assigning and not manage.roles:
        more.append("assign the role, which AZURE_MANAGE leaves to others")
    if not manage.identities and _holds(group, f"{_IDENTITY}/write"):
        more.append("make identities, which AZURE_MANAGE leaves to others")
    if any(_matches(each.data_actions, _DATA) for each in account):
        more.append("chat with the models itself")
    return more


def _holds(permissions: Iterable[Permission], action: str) -> bool:
    return any(_lets(each, action) for each in permissions)


def _lets(permission: Permission, action: str) -> bool:
    return _matches(permission.actions, action) and not _matches(permission.not_actions, action)


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE)
        for pattern in patterns
    )


def _one_role(condition: str) -> bool:
    """Tell whether a condition speaks of new assignments, of service principals and of one role.

    It may be worded otherwise than the one that is shipped; this is no proof, but finds what was
    left out or widened.
    """
    text = condition.lower()
    words = ("roleassignments/write", "@request[", ":roledefinitionid]", ":principaltype]")
    return all(word in text for word in words) and set(_GUID.findall(text)) == {OPENAI_USER_ROLE}
