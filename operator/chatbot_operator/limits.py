"""What an account lets a chatbot ask for, and what it caps. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from chatbot_operator.errors import Denied

EVERY_IMAGE: Final = "*"


@dataclass(frozen=True, slots=True)
class Use:
    """What a chatbot asks of an account.

    `image` is empty for the operator's own. `anonymous`: whoever finds its public address may chat.
    """

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    deployment: str = ""
    image: str = ""
    service_type: str = "ClusterIP"
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The guard rails of an account; `daily_token_budget` in tokens of one chatbot and UTC day."""

    image_repositories: tuple[str, ...]
    service_types: tuple[str, ...]
    max_replicas: int | None
    daily_token_budget: int | None
    allow_anonymous: bool

    @classmethod
    def parse(cls, spec: Mapping[str, Any]) -> Self:
        """Read them from an account's spec."""
        return cls(
            image_repositories=tuple(spec.get("imageRepositories", ())),
            service_types=tuple(spec["serviceTypes"]),
            max_replicas=spec.get("maxReplicas"),
            daily_token_budget=spec.get("dailyTokenBudget"),
            allow_anonymous=spec["allowAnonymous"],
        )

    def require(self, account: str, use: Use) -> None:
        """See that a chatbot of `account` asks for no more than this, or raise what forbids it."""
        self._require_image(account, use.image)
        if use.service_type not in self.service_types:
            raise Denied(
                "ServiceTypeNotAllowed",
                f"AzureOpenAIAccount {account} allows no Service of type {use.service_type}, only"
                f" {', '.join(self.service_types)}. Change spec.service.type, or ask its owners.",
            )
        if use.anonymous and not self.allow_anonymous:
            raise Denied(
                "AnonymousNotAllowed",
                "The Service has a public address at which everybody may chat. Say who may with"
                " spec.access, give it an internal address with the annotation"
                ' service.beta.kubernetes.io/azure-load-balancer-internal: "true", or ask the'
                f" owners of AzureOpenAIAccount {account} for allowAnonymous.",
            )

    def _require_image(self, account: str, image: str) -> None:
        if not image or EVERY_IMAGE in self.image_repositories:
            return
        asked = repository(image)
        for allowed in self.image_repositories:
            prefix = tuple(allowed.split("/"))
            if asked[: len(prefix)] == prefix:
                return
        only = ", ".join(self.image_repositories) or "only the operator's own image"
        raise Denied(
            "ImageNotAllowed",
            f"AzureOpenAIAccount {account} does not allow image {image}; it allows {only}. Leave"
            " spec.image out, or ask its owners to add the repository to imageRepositories.",
        )

    def cap(self, replicas: int) -> int:
        """Give how many of the pods that were asked for may run."""
        return replicas if self.max_replicas is None else min(replicas, self.max_replicas)

    def tokens_of_a_pod(self, replicas: int) -> int | None:
        """Give the tokens that each of `replicas` pods may use in a day; None: any number."""
        if self.daily_token_budget is None:
            return None
        return self.daily_token_budget // max(1, replicas)


def repository(image: str) -> tuple[str, ...]:
    """Give an image's repository in segments, the registry first, without tag and digest.

    What stands before the first slash is a registry if it has a dot, a colon or a capital letter or
    is localhost; Docker's is meant otherwise
    (https://github.com/distribution/reference/blob/v0.6.0/normalize.go, splitDockerDomain).
    """
    *path, last = image.partition("@")[0].split("/")
    segments = (*path, last.partition(":")[0])
    first = segments[0]
    if len(segments) == 1:
        return ("docker.io", "library", first)
    if "." in first or ":" in first or first == "localhost" or first != first.lower():
        return segments
    return ("docker.io", *segments)
