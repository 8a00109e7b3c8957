"""Azure role-based access control, as a pure function of definitions and assignments.

https://learn.microsoft.com/azure/role-based-access-control/role-definitions
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role: what it allows on the control plane (actions) and on data (data actions)."""

    guid: str
    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    description: str = ""

    def allows(self, action: str) -> bool:
        """Whether the role's actions contain `action`."""
        return _listed(self.actions, action) and not _listed(self.not_actions, action)

    def allows_data(self, action: str) -> bool:
        """Whether the role's data actions contain `action`."""
        return _listed(self.data_actions, action) and not _listed(self.not_data_actions, action)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role given to a principal at a scope. Times are in epoch seconds."""

    name: str
    scope: str
    role_definition_id: str
    principal_id: str
    principal_type: str
    description: str | None
    condition: str | None
    condition_version: str | None
    created_on: float
    created_by: str
    updated_on: float
    updated_by: str

    @property
    def role(self) -> str:
        """The role definition's GUID, lower case."""
        return self.role_definition_id.rsplit("/", 1)[-1].lower()


class Verdict(Enum):
    """What the evaluator says."""

    ALLOWED = "allowed"
    CONDITION_NOT_MET = "condition not met"
    DENIED = "denied"


Condition = Callable[[str], bool]
"""Decides the text of a condition; what it is decided about is bound by the caller."""


def covers(scope: str, path: str) -> bool:
    """Whether an assignment at `scope` is inherited by the resource at `path`."""
    above, below = scope.rstrip("/").lower(), path.rstrip("/").lower()
    return below == above or below.startswith(f"{above}/")


def judge(
    action: str,
    path: str,
    *,
    assignments: Iterable[Assignment],
    roles: Mapping[str, RoleDefinition],
    holds: Condition,
) -> Verdict:
    """Judge a control-plane action at a path for the holder of `assignments`."""
    verdict = Verdict.DENIED
    for assignment in assignments:
        role = roles.get(assignment.role)
        if role is None or not covers(assignment.scope, path) or not role.allows(action):
            continue
        if assignment.condition is None or holds(assignment.condition):
            return Verdict.ALLOWED
        verdict = Verdict.CONDITION_NOT_MET
    return verdict


def may_use_data(
    action: str,
    path: str,
    *,
    assignments: Iterable[Assignment],
    roles: Mapping[str, RoleDefinition],
) -> bool:
    """Whether the holder of `assignments` may do a data action; a condition denies."""
    return any(
        role.allows_data(action)
        for assignment in assignments
        if assignment.condition is None and covers(assignment.scope, path)
        if (role := roles.get(assignment.role)) is not None
    )


def _listed(patterns: tuple[str, ...], action: str) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*"), re.IGNORECASE)
