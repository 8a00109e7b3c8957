"""What a team says of its chatbot's pods and of their service account. Pure.

Whatever the operator itself says of them cannot be said here. The API server refuses it; what an
older schema let in is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

RESERVED_KEY: Final = re.compile(
    r"(chatbot-operator\.dev|azure\.workload\.identity)/.*"
    r"|app\.kubernetes\.io/(name|instance|managed-by)"
)
"""Keys of labels and annotations that are the operator's, or that only it tells the webhook."""

STEERING_KEY: Final = re.compile(
    r".*[iI]mage.*|.*/(userV|v)olume.*|.*(apparmor|seccomp).*|aadpodidbinding"
    r"|sidecar\.istio\.io/bootstrapOverride"
    r"|(inject\.istio\.io|instrumentation\.opentelemetry\.io|k8s\.v1\.cni\.cncf\.io)/.*"
)
"""Keys by which webhooks and the node bring other code, volumes, networks, identities into pods.

A pod holds the chatbot's identity: what the account says of images would say nothing.
"""

RESERVED_VARIABLE: Final = re.compile(
    r"(AZURE|OPENAI|SSL|CHAT|PROOF|MEMORY|ACCESS|EXTRA_CA)_.*"
    r"|HOST|PORT|OPS_PORT|TEMPERATURE|TOP_P|MAX_OUTPUT_TOKENS|DAILY_TOKEN_BUDGET|CONTEXT_WINDOW"
    r"|SYSTEM_PROMPT_FILE|CREDENTIAL_SINCE_FILE|DEPLOYMENT_NAME"
    r"|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy"
    r"|(LD|OPENSSL|MSI|IDENTITY|RES)_.*|PYTHON.*|PATH|SSLKEYLOGFILE|(REQUESTS|CURL)_CA_BUNDLE"
    r"|HOSTALIASES|LOCALDOMAIN|GCONV_PATH|GLIBC_TUNABLES"
)
"""Variables by which the operator and the webhook tell the chatbot what it is, and those that make
an image do other than it does: run other code, trust others, find others by a name.

Where a proxy stands in small letters, too, those count (urllib.request.getproxies_environment).
"""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PodSettings:
    """Where and how the pods run. What Kubernetes alone understands stays as it is written.

    `resources` is empty for the operator's own choice. `token_seconds` is the life of the pods'
    tokens for Entra; None is the webhook's default, an hour.
    """

    resources: Json = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Json, ...] = ()
    affinity: Json = field(default_factory=dict)
    topology_spread: tuple[Json, ...] = ()
    priority_class: str = ""
    pull_secrets: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    skip_containers: tuple[str, ...] = ()
    account_annotations: Mapping[str, str] = field(default_factory=dict)
    token_seconds: int | None = None

    @classmethod
    def parse(cls, spec: Json) -> Self:
        """Read them from a chatbot's spec."""
        pods, account = spec.get("pods", {}), spec.get("serviceAccount", {})
        env = {entry["name"]: entry.get("value", "") for entry in pods.get("env", ())}
        return cls(
            resources=pods.get("resources", {}),
            node_selector=pods.get("nodeSelector", {}),
            tolerations=tuple(pods.get("tolerations", ())),
            affinity=pods.get("affinity", {}),
            topology_spread=tuple(pods.get("topologySpreadConstraints", ())),
            priority_class=pods.get("priorityClassName", ""),
            pull_secrets=tuple(each["name"] for each in pods.get("imagePullSecrets", ())),
            env=_free(env, RESERVED_VARIABLE),
            labels=_free(pods.get("labels", {}), RESERVED_KEY, STEERING_KEY),
            annotations=_free(pods.get("annotations", {}), RESERVED_KEY, STEERING_KEY),
            skip_containers=tuple(pods.get("skipContainers", ())),
            account_annotations=_free(account.get("annotations", {}), RESERVED_KEY, STEERING_KEY),
            token_seconds=account.get("tokenExpirationSeconds"),
        )


def _free(given: Mapping[str, str], *reserved: re.Pattern[str]) -> Mapping[str, str]:
    return {
        key: value
        for key, value in given.items()
        if not any(pattern.fullmatch(key) for pattern in reserved)
    }
