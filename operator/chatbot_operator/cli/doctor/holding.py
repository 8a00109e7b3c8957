"""The roles that the operator's identity holds in Azure, against those that it needs. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chatbot_operator import rights
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.doctor.looking import Absent, Dark, unknown
from chatbot_operator.ports import Manage, Permission

NAME: Final = "operator's rights"
ADMINISTRATOR: Final = "Role Based Access Control Administrator"
CONTRIBUTOR: Final = "Managed Identity Contributor"
READER: Final = "Reader"


@dataclass(frozen=True, slots=True)
class Held:
    """A role that is held: the id and the scope of its assignment, and what the role lets."""

    id: str
    scope: str
    role: str
    permissions: tuple[Permission, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where rights are needed: its id, and the roles held there. `held` dark: nobody could look."""

    id: str
    held: tuple[Held, ...] | Dark | Absent


def parse(
    assignments: Iterable[Mapping[str, Any]], roles: Mapping[str, Mapping[str, Any]], scope: str
) -> tuple[Held, ...]:
    """Read the assignments that reach a scope; `roles` are role definitions by their id.

    Those of a role that is gone let nothing.
    """
    return tuple(
        Held(
            each["id"],
            each["properties"]["scope"],
            roles[each["properties"]["roleDefinitionId"]]["properties"]["roleName"],
            _permissions(
                roles[each["properties"]["roleDefinitionId"]],
                each["properties"].get("condition") or "",
            ),
        )
        for each in assignments
        if covers(each["properties"]["scope"], scope)
        and each["properties"]["roleDefinitionId"] in roles
    )


def covers(above: str, scope: str) -> bool:
    """Tell whether what holds at `above` holds at a scope."""
    at, here = above.rstrip("/").lower(), scope.lower()
    return here == at or here.startswith(f"{at}/")


def _permissions(role: Mapping[str, Any], condition: str) -> tuple[Permission, ...]:
    return tuple(
        Permission(
            actions=tuple(each.get("actions") or ()),
            not_actions=tuple(each.get("notActions") or ()),
            data_actions=tuple(each.get("dataActions") or ()),
            condition=condition,
        )
        for each in role["properties"].get("permissions") or ()
    )


def check(
    principal: str, account: Place, group: Place | None, manage: Manage, condition: Path
) -> Check:
    """Judge what an identity holds on an account and on the identities' group, None: not known.

    `condition` is the file that limits its assigning to one role.
    """
    for place in filter(None, (account, group)):
        if not isinstance(place.held, tuple):
            return unknown(NAME, place.held)
    on_account, on_group = _held(account), _held(group)
    less = rights.lacking(_all(on_account), _all(on_group) if group else None, manage)
    more = rights.surplus(_all(on_account), _all(on_group), manage)
    if not less and not more:
        return Check(
            NAME, Mark.OK, "what it needs, and no more", facts=_facts(on_account, on_group)
        )
    surplus = _culprits(on_account, on_group, manage)
    kept_account, kept_group = _without(on_account, surplus), _without(on_group, surplus)
    commands = [_delete(one) for one in surplus]
    left = rights.lacking(_all(kept_account), _all(kept_group) if group else None, manage)
    if any(each.endswith("on the account") for each in left):
        commands.append(_on_account(principal, account.id, manage, condition))
    if group and any(each.endswith("resource group") for each in left):
        role = CONTRIBUTOR if manage.identities else READER
        commands.append(_create(principal, role, group.id))
    said = [f"it lacks {', '.join(less)}"] if less else []
    said += [f"it could {', '.join(more)}{_by(surplus)}"] if more else []
    return Check(
        NAME,
        Mark.WRONG,
        "; ".join(said),
        cause="Without them chatbots come to a stop at that step."
        if less
        else "Whoever takes the operator over can do that, too.",
        fix=_fix(surplus, account.id),
        commands=tuple(commands),
        facts=_facts(on_account, on_group),
    )


def on_shared(name: str, principal: str, place: Place, manage: Manage) -> Check:
    """Judge what an identity may do about one that others made, and that chatbots may be."""
    what = f"rights on identity {name}"
    if not isinstance(place.held, tuple):
        return unknown(what, place.held)
    less = rights.lacking_on_shared(_all(place.held), manage)
    if not less:
        return Check(what, Mark.OK, "what it needs")
    return Check(
        what,
        Mark.WRONG,
        f"it lacks {', '.join(less)}",
        cause="A chatbot that is to be this identity gets no federated credential.",
        fix="Give it the role, or a smaller one of your own with these actions:",
        commands=(_create(principal, CONTRIBUTOR if manage.identities else READER, place.id),),
    )


def _held(place: Place | None) -> tuple[Held, ...]:
    return place.held if place and isinstance(place.held, tuple) else ()


def _all(held: Iterable[Held]) -> list[Permission]:
    return [permission for one in held for permission in one.permissions]


def _without(held: Iterable[Held], taken: Sequence[Held]) -> list[Held]:
    gone = {one.id for one in taken}
    return [one for one in held if one.id not in gone]


def _culprits(account: Sequence[Held], group: Sequence[Held], manage: Manage) -> list[Held]:
    """Find the assignments that by themselves let more than is needed."""
    found = [one for one in account if rights.surplus(list(one.permissions), [], manage)]
    found += [one for one in group if rights.surplus([], list(one.permissions), manage)]
    return list({one.id: one for one in found}.values())


def _by(surplus: Sequence[Held]) -> str:
    return f" (by {', '.join(one.role for one in surplus)})" if surplus else ""


def _fix(surplus: Sequence[Held], account_id: str) -> str:
    if not surplus:
        return "Give it the roles:"
    above = [one for one in surplus if not covers(account_id, one.scope)]
    if above:
        wide = ", ".join(f"{one.role} at {one.scope}" for one in above)
        return f"Take away what is too much; {wide} may serve something else, too:"
    return "Take away what is too much, and give what is needed besides:"


def _on_account(principal: str, scope: str, manage: Manage, condition: Path) -> str:
    if not manage.roles:
        return _create(principal, READER, scope)
    limited = f'--condition "$(cat {shlex.quote(str(condition))})" --condition-version 2.0'
    return f"{_create(principal, ADMINISTRATOR, scope)} {limited}"


def _create(principal: str, role: str, scope: str) -> str:
    whom = ("--assignee-object-id", principal, "--assignee-principal-type", "ServicePrincipal")
    return shlex.join(
        ("az", "role", "assignment", "create", *whom, "--role", role, "--scope", scope)
    )


def _delete(one: Held) -> str:
    return shlex.join(("az", "role", "assignment", "delete", "--ids", one.id))


def _facts(account: Iterable[Held], group: Iterable[Held]) -> dict[str, str]:
    return {
        "onAccount": ", ".join(sorted({one.role for one in account})),
        "onGroup": ", ".join(sorted({one.role for one in group})),
    }
