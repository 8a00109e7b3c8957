"""ServiceAccount, ConfigMap, Service and Deployment of a chatbot. Pure."""

from __future__ import annotations

from typing import Final

from chatbot_operator import ports
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.manifests.objects import WATCH, Wanted, make, selector
from chatbot_operator.manifests.pods import CA_KEY, PROMPT_KEY, SINCE_KEY, template
from chatbot_operator.ports import Identity, Object

EXPIRATION: Final = "azure.workload.identity/service-account-token-expiration"
PROGRESS_DEADLINE_SECONDS: Final = 1800
"""A role may take ten minutes to spread; a rollout that waits for it has not failed."""


def service_account(chatbot: Chatbot, identity: Identity) -> Object:
    """Bind the pods to the identity; must be there before the first pod is admitted."""
    seconds = chatbot.pods.token_seconds
    life = {} if seconds is None else {EXPIRATION: str(seconds)}
    return make(
        ports.SERVICE_ACCOUNTS,
        chatbot,
        annotations={
            **chatbot.pods.account_annotations,
            "azure.workload.identity/client-id": identity.client_id,
            "azure.workload.identity/tenant-id": identity.tenant_id,
            **life,
        },
        automountServiceAccountToken=False,
    )


def config_map(chatbot: Chatbot, *, since: str, authorities: str = "") -> Object:
    """Carry the system prompt and the time (RFC 3339) at which the credential was written.

    `authorities`, in PEM, are those that the pods trust besides the system's.
    """
    extra = {CA_KEY: authorities} if authorities else {}
    data = {SINCE_KEY: since, PROMPT_KEY: chatbot.chat.system_prompt, **extra}
    return make(ports.CONFIG_MAPS, chatbot, labels={WATCH: "true"}, data=data)


def service(chatbot: Chatbot) -> Object:
    """Make the chatbot reachable on its page's port only.

    Where visitors are known by who their proxy is, a load balancer must not hide their addresses
    behind those of the nodes: everybody would come from a private network.
    """
    exposure = chatbot.exposure
    peers = exposure.access.trusted_peers if exposure.access else ()
    local = chatbot.service_type == "LoadBalancer" and bool(peers)
    port = {"name": "http", "port": chatbot.service_port, "targetPort": "http", "protocol": "TCP"}
    return make(
        ports.SERVICES,
        chatbot,
        annotations=dict(exposure.service_annotations),
        spec={
            "type": chatbot.service_type,
            **({"externalTrafficPolicy": "Local"} if local else {}),
            "selector": selector(chatbot.name),
            "ports": [{**port, "appProtocol": "http"}],
        },
    )


def deployment(wanted: Wanted) -> Object:
    """Run the chatbot's pods."""
    chatbot = wanted.chatbot
    count = {} if wanted.replicas is None else {"replicas": wanted.replicas}
    return make(
        ports.DEPLOYMENTS,
        chatbot,
        spec={
            **count,
            "progressDeadlineSeconds": PROGRESS_DEADLINE_SECONDS,
            "revisionHistoryLimit": 2,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "selector": {"matchLabels": selector(chatbot.name)},
            "template": template(wanted),
        },
    )
