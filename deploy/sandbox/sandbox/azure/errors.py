"""Refusals, in the words of the service that refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818  Azure calls it an error, the emulator means it
    """An answer of ARM or one of its providers that is not the one hoped for."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    gateway: bool = False

    def document(self) -> dict[str, object]:
        """The error envelope that every ARM client understands."""
        return {"error": {"code": self.code, "message": self.message}}


@dataclass(eq=False)
class TokenRefusal(Exception):  # noqa: N818  same
    """An answer of the token endpoint with an AADSTS code."""

    code: int
    message: str
    status: int = 401
    error: str = "invalid_client"


def group_not_found(name: str) -> Refusal:
    """No such resource group."""
    return Refusal(
        404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.", gateway=True
    )


def resource_not_found(kind: str, name: str, group: str) -> Refusal:
    """No such resource; `kind` is namespace and type, such as `Microsoft.X/things`."""
    return Refusal(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        gateway=True,
    )


def parent_not_found(name: str) -> Refusal:
    """A nested resource whose parent does not exist."""
    return Refusal(
        404,
        "ParentResourceNotFound",
        "Can not perform requested operation on nested resource. "
        f"Parent resource '{name}' not found.",
        gateway=True,
    )


def bad_request(message: str) -> Refusal:
    """A request that its provider cannot accept."""
    return Refusal(400, "BadRequest", message)


def authorization_failed(
    client: str, oid: str, action: str, scope: str, *, condition: bool = False
) -> Refusal:
    """The caller's roles do not allow the action, or the condition on one of them does not."""
    lacking = (
        "authorization or an ABAC condition not fulfilled to perform action"
        if condition
        else "authorization to perform action"
    )
    return Refusal(
        403,
        "AuthorizationFailed",
        f"The client '{client}' with object id '{oid}' does not have {lacking} '{action}' over "
        f"scope '{scope}' or the scope is invalid. If access was recently granted, please "
        "refresh your credentials.",
        gateway=True,
    )
