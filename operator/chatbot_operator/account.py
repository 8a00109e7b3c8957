"""An AzureOpenAIAccount, parsed once from the resource, and what it permits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from chatbot_operator.errors import Denied, Pending, Stuck
from chatbot_operator.limits import Limits, Use
from chatbot_operator.naming import TAG_PREFIX

KIND = "AzureOpenAIAccount"


@dataclass(frozen=True, slots=True)
class AllowedNamespaces:
    """Whose chatbots may use an account; nobody's when nothing is set."""

    names: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    everyone: bool = False

    def admit(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Tell whether a namespace with these labels is among them."""
        if self.everyone or namespace in self.names:
            return True
        return bool(self.labels) and self.labels.items() <= labels.items()


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its resource says, with what the last look at Azure found.

    `existing`: ids of managed identities that chatbots may run as, by the name that these use.
    """

    name: str
    uid: str
    generation: int
    account_id: str
    endpoint_override: str
    allowed: AllowedNamespaces
    deployments: frozenset[str]
    limits: Limits
    identity_resource_group: str
    identity_location: str
    identity_tags: Mapping[str, str]
    existing: Mapping[str, str]
    status: dict[str, Any]

    @property
    def subscription(self) -> str:
        """Id of the subscription."""
        return self.account_id.split("/")[2]

    @property
    def resource_group(self) -> str:
        """Resource group of the account itself."""
        return self.account_id.split("/")[4]

    @property
    def azure_name(self) -> str:
        """Name of the account in Azure."""
        return self.account_id.split("/")[8]

    @property
    def endpoint(self) -> str:
        """Base URL that chatbots call, with a final slash; empty before it was found."""
        return str(self.status.get("endpoint", ""))

    @property
    def found_location(self) -> str:
        """Azure region of the account; empty before it was found."""
        return str(self.status.get("location", ""))

    @property
    def location(self) -> str:
        """Azure region for new identities; empty before it was found."""
        return self.identity_location or self.found_location

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the resource as the API server returned it."""
        metadata, spec = body["metadata"], body["spec"]
        identity, allowed = spec.get("identity", {}), spec.get("allowedNamespaces", {})
        return cls(
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata["generation"],
            account_id=spec["accountId"],
            endpoint_override=spec.get("endpoint", ""),
            allowed=AllowedNamespaces(
                names=frozenset(allowed.get("names", ())),
                labels=allowed.get("selector", {}).get("matchLabels", {}),
                everyone=allowed.get("all", False),
            ),
            deployments=frozenset(spec.get("deployments", ())),
            limits=Limits.parse(spec),
            identity_resource_group=identity.get("resourceGroup", ""),
            identity_location=identity.get("location", ""),
            identity_tags=_theirs(identity.get("tags", {})),
            existing={each["name"]: each["id"] for each in identity.get("existing", ())},
            status=body.get("status", {}),
        )

    def permit(self, use: Use) -> None:
        """Let a chatbot use the account as it asks, or raise the fault that forbids it."""
        if not self.allowed.admit(use.namespace, use.labels):
            raise Denied(
                "NamespaceNotAllowed",
                f"AzureOpenAIAccount {self.name} does not allow namespace {use.namespace}. Ask"
                " those who own it to add it to spec.allowedNamespaces.",
            )
        if self.deployments and use.deployment not in self.deployments:
            raise Denied(
                "DeploymentNotAllowed",
                f"AzureOpenAIAccount {self.name} does not allow deployment {use.deployment}; it"
                f" allows {', '.join(sorted(self.deployments))}. Name one of them, or ask its"
                " owners.",
            )
        self.limits.require(self.name, use)
        self._require_usable()
        self._require_deployment(use.deployment)

    def _require_usable(self) -> None:
        usable = next((c for c in self.status.get("conditions", ()) if c["type"] == "Usable"), None)
        # What it is in Azure cannot change, so an edit does not unmake a good account.
        if usable is not None and usable["status"] == "True":
            return
        if usable is None or self.status.get("observedGeneration") != self.generation:
            raise Pending("AccountChecking", f"AzureOpenAIAccount {self.name} is being checked.")
        found = f"AzureOpenAIAccount {self.name}: {usable['message']}"
        if usable["status"] == "Unknown":
            raise Pending("AccountChecking", found, retry_after=10)
        raise Stuck("AccountNotUsable", f"{found} ({usable['reason']})")

    def _require_deployment(self, deployment: str) -> None:
        found = sorted(d["name"] for d in self.status.get("deployments", ()))
        if deployment not in found:
            raise Stuck(
                "DeploymentNotFound",
                f"Account {self.azure_name} has no model deployment {deployment}; it has"
                f" {', '.join(found) or 'none'}. Name one of them, or create it.",
            )
        chats = [d["name"] for d in self.status.get("deployments", ()) if d.get("chat", True)]
        if deployment not in chats:
            raise Stuck(
                "DeploymentNotForChat",
                f"Model deployment {deployment} of account {self.azure_name} answers no chats;"
                f" these do: {', '.join(sorted(chats)) or 'none'}. Name one of them.",
            )


def _theirs(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out what an older schema let in: Azure takes names of tags case-insensitively."""
    return {key: value for key, value in tags.items() if not key.lower().startswith(TAG_PREFIX)}
