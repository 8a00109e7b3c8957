"""An AzureOpenAIChatbot, parsed once from the resource."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from chatbot_operator.exposure import Exposure
from chatbot_operator.pod_settings import PodSettings

FINALIZER = "chatbot-operator.dev/azure"
LEAVE_AZURE = "chatbot-operator.dev/leave-azure"
"""Annotation: `true` lets a chatbot go without what it has in Azure."""
GROUP = "chatbot-operator.dev"
VERSION = "v1alpha1"
KIND = "AzureOpenAIChatbot"
CONFIRM = f"{GROUP}/confirm-withdrawal"
"""Annotation: permission may be withdrawn although many lose it at once."""
LOOK_AGAIN = f"{GROUP}/look-again"
"""Annotation: whenever its value changes the operator looks at the chatbot at once."""


_GROUP = r"/subscriptions/[-0-9a-fA-F]{36}/resourceGroups/[-\w.()]{0,89}[-\w()]/providers/"
_ACCOUNT_ID = re.compile(
    _GROUP + r"Microsoft\.CognitiveServices/accounts/[-\w]{2,64}", re.ASCII | re.IGNORECASE
)
_IDENTITY_ID = re.compile(
    _GROUP + r"Microsoft\.ManagedIdentity/userAssignedIdentities/[-\w]{3,128}",
    re.ASCII | re.IGNORECASE,
)


class DeletionPolicy(StrEnum):
    """What becomes of the managed identity when the chatbot goes."""

    DELETE = "Delete"
    RETAIN = "Retain"


@dataclass(frozen=True, slots=True)
class Chat:
    """What visitors see and what the model is told and remembers; what is empty was not said.

    `prompt_from` names a ConfigMap of the same namespace and a key in it; the text is read in each
    pass.
    """

    title: str
    welcome: str
    starters: tuple[str, ...]
    disclaimer: str
    system_prompt: str
    prompt_from: tuple[str, str] | None
    max_turns: int | None
    max_tokens: int | None
    answers_per_pod: int | None
    answers_per_user: int | None

    @classmethod
    def parse(cls, given: dict[str, Any]) -> Self:
        """Read `spec.chat`."""
        memory, source = given.get("memory", {}), given.get("systemPromptFrom")
        reference, at_once = source and source["configMapKeyRef"], given.get("answersAtOnce", {})
        return cls(
            title=given["title"],
            welcome=given.get("welcome", ""),
            starters=tuple(given.get("starters", ())),
            disclaimer=given.get("disclaimer", ""),
            system_prompt=given.get("systemPrompt", ""),
            prompt_from=(reference["name"], reference["key"]) if reference else None,
            max_turns=memory.get("maxTurns"),
            max_tokens=memory.get("maxTokens"),
            answers_per_pod=at_once.get("perPod"),
            answers_per_user=at_once.get("perUser"),
        )


@dataclass(frozen=True, slots=True)
class Autoscaling:
    """How many pods there may be, and how busy: `busy` in per cent of the CPU they request."""

    least: int
    most: int
    busy: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an earlier pass wrote down in the status, to find things again.

    Never believed alone: whatever is found by it must still bear the owner's marks. `issuer`:
    whose tokens the credential trusts. `served`: all of the chatbot's objects in the cluster have
    been there.
    """

    account_id: str = ""
    identity_id: str = ""
    principal_id: str = ""
    client_id: str = ""
    proven_at: str = ""
    role_since: str = ""
    credential_since: str = ""
    issuer: str = ""
    served: bool = False

    @property
    def withdrawn(self) -> bool:
        """Tell whether the chatbot has been there as a whole and has lost its role since."""
        return self.served and not self.role_since


@dataclass(frozen=True, slots=True)
class Chatbot:
    """A chatbot as its resource says. Bounds and defaults are the CRD's.

    `existing` names a managed identity that somebody else made; empty: it has one of its own.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    deleted_at: dt.datetime | None
    finalizers: tuple[str, ...]
    leaves_azure: bool
    account: str
    existing: str
    deployment: str
    api_version: str
    temperature: float | None
    top_p: float | None
    max_output_tokens: int | None
    context_window: int | None
    chat: Chat
    openai_api: bool
    replicas: int
    autoscaling: Autoscaling | None
    pods: PodSettings
    image: str
    service_type: str
    service_port: int
    exposure: Exposure
    deletion_policy: DeletionPolicy
    suspended: bool
    withdrawal_confirmed: bool
    recorded: Recorded
    status: dict[str, Any]

    @property
    def observed(self) -> bool:
        """Tell whether a pass has been over this very spec."""
        return bool(self.status.get("observedGeneration") == self.generation)

    @property
    def least_pods(self) -> int:
        """How many pods run when nobody asks anything."""
        return self.autoscaling.least if self.autoscaling else self.replicas

    @property
    def most_pods(self) -> int:
        """How many pods may run at the same time."""
        return self.autoscaling.most if self.autoscaling else self.replicas

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the resource as the API server returned it."""
        metadata, spec = body["metadata"], body["spec"]
        openai, service = spec["openAI"], spec.get("service", {})
        status = body.get("status", {})
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata["generation"],
            resource_version=metadata["resourceVersion"],
            deleted_at=_time(metadata.get("deletionTimestamp")),
            finalizers=tuple(metadata.get("finalizers", ())),
            leaves_azure=metadata.get("annotations", {}).get(LEAVE_AZURE) == "true",
            account=openai["account"],
            existing=spec.get("identity", {}).get("existing", ""),
            deployment=openai["deployment"],
            api_version=openai.get("apiVersion", ""),
            temperature=openai.get("temperature"),
            top_p=openai.get("topP"),
            max_output_tokens=openai.get("maxOutputTokens"),
            context_window=openai.get("contextWindow"),
            chat=Chat.parse(spec["chat"]),
            openai_api=spec.get("api", {}).get("openAI", False),
            replicas=spec["replicas"],
            autoscaling=_autoscaling(spec.get("autoscaling")),
            pods=PodSettings.parse(spec),
            image=spec.get("image", ""),
            service_type=service["type"],
            service_port=service["port"],
            exposure=Exposure.parse(spec),
            deletion_policy=DeletionPolicy(spec["deletionPolicy"]),
            suspended=spec["suspend"],
            withdrawal_confirmed=metadata.get("annotations", {}).get(CONFIRM) == "true",
            recorded=_recorded(status),
            status=status,
        )


def _time(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _autoscaling(given: dict[str, Any] | None) -> Autoscaling | None:
    if given is None:
        return None
    return Autoscaling(given["minReplicas"], given["maxReplicas"], given["targetCPUUtilization"])


def _recorded(status: dict[str, Any]) -> Recorded:
    identity, granted = status.get("identity", {}), status.get("grantedAt", {})
    return Recorded(
        account_id=_matching(_ACCOUNT_ID, status.get("resolved", {}).get("accountId", "")),
        identity_id=_matching(_IDENTITY_ID, identity.get("id", "")),
        principal_id=identity.get("principalId", ""),
        client_id=identity.get("clientId", ""),
        proven_at=status.get("provenAt", ""),
        role_since=granted.get("role", ""),
        credential_since=granted.get("credential", ""),
        issuer=status.get("resolved", {}).get("issuer", ""),
        served="selector" in status,
    )


def _matching(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.fullmatch(text) else ""
