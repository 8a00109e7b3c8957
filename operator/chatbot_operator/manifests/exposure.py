"""Ingress, HTTPRoute and NetworkPolicy of a chatbot; None where it wants none. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from chatbot_operator import ports
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.manifests.objects import Wanted, make, selector
from chatbot_operator.manifests.pods import OPS_PORT, PAGE_PORT
from chatbot_operator.ports import Object

METADATA: Final = "169.254.169.254/32"
"""Where any pod could get the node's own token
(https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service)."""
WIRE_SERVER: Final = "168.63.129.16/32"
"""Azure's own address on every node
(https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16)."""
DNS_PORT: Final = 53
HTTPS_PORT: Final = 443


def ingress(chatbot: Chatbot) -> Object | None:
    """Lead a host name to the Service by an ingress controller."""
    wanted = chatbot.exposure.ingress
    if wanted is None:
        return None
    backend = {"service": {"name": chatbot.name, "port": {"name": "http"}}}
    path = {"path": wanted.path, "pathType": "Prefix", "backend": backend}
    tls = {"hosts": [wanted.host], "secretName": wanted.tls_secret}
    return make(
        ports.INGRESSES,
        chatbot,
        annotations=dict(wanted.annotations),
        spec={
            **({"ingressClassName": wanted.class_name} if wanted.class_name else {}),
            **({"tls": [tls]} if wanted.tls_secret else {}),
            "rules": [{"host": wanted.host, "http": {"paths": [path]}}],
        },
    )


def http_route(chatbot: Chatbot) -> Object | None:
    """Lead host names to the Service by Gateways."""
    wanted = chatbot.exposure.route
    if wanted is None:
        return None
    backend = {"name": chatbot.name, "port": chatbot.service_port}
    return make(
        ports.HTTP_ROUTES,
        chatbot,
        spec={
            "parentRefs": [dict(parent) for parent in wanted.parents],
            "hostnames": list(wanted.hostnames),
            "rules": [{"backendRefs": [backend]}],
        },
    )


def network_policy(wanted: Wanted) -> Object | None:
    """Let in who has business with the pods; the node's own probes need no rule."""
    policy = wanted.chatbot.exposure.policy
    if not policy.enabled:
        return None
    limits = {"egress": _egress(wanted)} if policy.egress else {}
    return make(
        ports.NETWORK_POLICIES,
        wanted.chatbot,
        spec={
            "podSelector": {"matchLabels": selector(wanted.chatbot.name)},
            "policyTypes": ["Ingress", *(["Egress"] if policy.egress else [])],
            "ingress": [_visitors(wanted), _observers(wanted)],
            **limits,
        },
    )


def _visitors(wanted: Wanted) -> Object:
    """Who may open the page: everybody where a load balancer leads there from outside."""
    chatbot, installation = wanted.chatbot, wanted.installation
    page = {"ports": [_tcp(PAGE_PORT)]}
    if chatbot.service_type == "LoadBalancer":
        return page
    allowed = {
        installation.namespace,
        *installation.gateway_namespaces,
        *chatbot.exposure.policy.from_namespaces,
    }
    others = sorted(allowed - {""})
    return {**page, "from": [{"podSelector": {}}, *([_namespaces(others)] if others else [])]}


def _observers(wanted: Wanted) -> Object:
    """The operator, to ask for readiness, and Prometheus, for numbers.

    An operator that runs in no pod comes from anywhere.
    """
    rule: Object = {"ports": [_tcp(OPS_PORT)]}
    home, others = wanted.installation.namespace, wanted.installation.monitoring_namespaces
    return {**rule, "from": [_namespaces(sorted({home, *others}))]} if home else rule


def _namespaces(names: list[str]) -> Object:
    """Match namespaces by the label that the API server itself puts on each."""
    name = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": names}
    return {"namespaceSelector": {"matchExpressions": [name]}}


def _egress(wanted: Wanted) -> list[Object]:
    """Names, and HTTPS to Entra and the account, by a proxy or not; never the metadata service."""
    ways = (wanted.endpoint, wanted.installation.outlet.https_proxy)
    https = sorted({HTTPS_PORT, *(urlsplit(way).port or HTTPS_PORT for way in ways)})
    names = [{"port": DNS_PORT, "protocol": "UDP"}, _tcp(DNS_PORT)]
    return [
        {"ports": names, "to": _everywhere_but([METADATA])},
        {"ports": list(map(_tcp, https)), "to": _everywhere_but([METADATA, WIRE_SERVER])},
    ]


def _everywhere_but(addresses: list[str]) -> list[Object]:
    return [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": addresses}},
        {"ipBlock": {"cidr": "::/0"}},
    ]


def _tcp(port: int) -> Object:
    return {"port": port, "protocol": "TCP"}
