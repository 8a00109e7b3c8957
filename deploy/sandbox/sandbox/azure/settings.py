"""What can be set on the emulator, and the fixed names of its small world.

The ids are constants so that manifests, tests and people can write them down once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TENANT = "7e4a1e5e-0000-4000-8000-000000000001"
SUBSCRIPTION = "5b5c0000-0000-4000-8000-000000000002"
SUBSCRIPTION_NAME = "Sandbox"
OWNER_CLIENT_ID = "c11e0000-0000-4000-8000-000000000003"
OWNER_OBJECT_ID = "0b1ec700-0000-4000-8000-000000000004"
OWNER_SECRET = "sandbox-owner-secret"  # noqa: S105  guards nothing outside this process
LOCATION = "eastus"
ACCOUNT = "contoso"
ACCOUNT_GROUP = "openai"
IDENTITY_GROUP = "chatbot-identities"
CLUSTER = "sandbox"
CLUSTER_GROUP = "aks"

ARM_AUDIENCE = "https://management.azure.com"
DATA_AUDIENCES = ("https://cognitiveservices.azure.com", "https://ai.azure.com")


class SettingError(ValueError):
    """A setting that does not exist or has a value it cannot have."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Behaviour that may change while the emulator runs. Times are in seconds.

    `latency_*` is how long an operation takes; `propagation_*` is how long another part of
    Azure goes on seeing the world as it was; the last group answers questions that Microsoft's
    documentation leaves open, one way or the other.
    """

    latency_read: float = 0.0
    latency_write: float = 0.0
    latency_delete: float = 0.0
    latency_identity: float = 0.0
    latency_credential: float = 0.0
    latency_role: float = 0.0
    latency_token: float = 0.0
    latency_first_token: float = 0.0
    propagation_federation: float = 0.0
    propagation_role: float = 0.0
    propagation_directory: float = 0.0
    failed_exchange_cache: float = 0.0
    token_lifetime: float = 86399.0
    throttling: bool = False

    identical_assignment_status: int = 201
    credential_limit_code: str = "BadRequest"
    bad_assertion_status: int = 400
    network_refusal_code: str = "403"

    def changed(self, values: Mapping[str, Any]) -> Settings:
        """A copy with some values changed; raises SettingError for an unknown name or value."""
        kinds = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        parsed: Mapping[str, Any] = {
            name: _parse(name, kinds.get(name), value) for name, value in values.items()
        }
        return replace(self, **parsed)

    def document(self) -> dict[str, Any]:
        """Every setting by name, ready for JSON."""
        return asdict(self)


def _parse(name: str, kind: type | None, value: object) -> object:
    if kind is None:
        raise SettingError(f"there is no setting {name!r}")
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        if value < 0:
            raise SettingError(f"{name} must not be negative")
        return float(value)
    if type(value) is kind:
        return value
    raise SettingError(f"{name} must be of type {kind.__name__}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the emulator is told about the machine it runs on, once, at start.

    `trust` is a PEM file with certificates to believe, beside the system's, when issuers are
    asked for their keys; `issuer` is the OIDC issuer of the seeded cluster; `upstream` is the
    base URL of an OpenAI-compatible server that answers model calls.
    """

    trust: Path | None = None
    issuer: str | None = None
    upstream: str | None = None
