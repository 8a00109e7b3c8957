"""What the Azure OpenAI data plane asks of the rest of the emulator.

`sandbox.azure.openai.routes(data_plane)` answers the model calls; who may make them, and which
deployments there are, is decided here, behind `DataPlane`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal that presented a valid token: its object id and its application id."""

    oid: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment of a model; `capacity` is in thousands of tokens per minute."""

    name: str
    model: str
    version: str
    capacity: int


class DataPlane(Protocol):
    """The account side of Azure OpenAI: admission and deployments."""

    @property
    def upstream(self) -> str | None:
        """Base URL of an OpenAI-compatible server that answers instead, or None."""

    @property
    def first_token(self) -> float:
        """Seconds from a request to the first token of its answer."""

    async def admit(
        self, request: Request, account: str, data_action: str, operation: str
    ) -> Caller | Response:
        """Let a caller in, or answer with the refusal that Azure would give.

        Looks at the account (exists, custom subdomain, network), the token (audience, expiry,
        signature) and the role assignments that have reached the data plane by now.
        `data_action` is a full name such as
        `Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action`,
        `operation` what the refusal quotes, such as
        `POST /openai/deployments/{deployment-id}/chat/completions`.
        """

    def deployment(self, account: str, name: str) -> Deployment | None:
        """A deployment by its name (compared without case), or None."""

    def deployments(self, account: str) -> tuple[Deployment, ...]:
        """Every deployment of an account, by name."""
