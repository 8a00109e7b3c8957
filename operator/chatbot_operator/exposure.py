"""How a chatbot is reached, and by whom: read from its spec. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

INTERNAL: Final = "service.beta.kubernetes.io/azure-load-balancer-internal"
"""The annotation that gives a load balancer an address of the virtual network, not a public one
(https://learn.microsoft.com/azure/aks/internal-lb)."""

_PRIVATE: Final = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    )
)
"""RFC 1918, 6598 and 4193: from where nobody on the internet comes."""

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ingress:
    """A host at which an ingress controller answers; `class_name` and `tls_secret` may be empty."""

    host: str
    path: str = "/"
    class_name: str = ""
    tls_secret: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where visitors go."""
        return f"{'https' if self.tls_secret else 'http'}://{self.host}{self.path}"

    @classmethod
    def parse(cls, spec: Spec) -> Self:
        """Read it from spec.ingress."""
        return cls(
            host=spec["host"],
            path=spec["path"],
            class_name=spec.get("className", ""),
            tls_secret=spec.get("tlsSecretName", ""),
            annotations=spec.get("annotations", {}),
        )


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """Host names at which Gateways answer; each parent is a reference as Gateway API spells it."""

    parents: tuple[Spec, ...]
    hostnames: tuple[str, ...]
    tls: bool

    @property
    def url(self) -> str:
        """Where visitors go."""
        return f"{'https' if self.tls else 'http'}://{self.hostnames[0]}/"

    @classmethod
    def parse(cls, spec: Spec) -> Self:
        """Read it from spec.httpRoute."""
        return cls(tuple(spec["parentRefs"]), tuple(spec["hostnames"]), spec["tls"])


@dataclass(frozen=True, slots=True)
class Policy:
    """Whose packets reach the pods, and whether theirs are limited, too."""

    enabled: bool
    from_namespaces: tuple[str, ...]
    egress: bool

    @classmethod
    def parse(cls, spec: Spec) -> Self:
        """Read it from spec.networkPolicy."""
        return cls(
            enabled=spec["enabled"],
            from_namespaces=tuple(spec.get("fromNamespaces", ())),
            egress=spec["egress"]["enabled"],
        )


@dataclass(frozen=True, slots=True)
class ProxyHeaders:
    """A proxy that says who is asking in a header; only it, one of `trusted_peers`, is believed."""

    user: str
    trusted_peers: tuple[str, ...]

    def closed(self, _tenant: str) -> bool:
        """Tell whether nobody on the internet is among the peers."""
        return all(map(_private, self.trusted_peers))

    @classmethod
    def parse(cls, spec: Spec) -> Self:
        """Read it from spec.access.proxyHeaders."""
        return cls(spec["user"], tuple(spec["trustedPeers"]))


@dataclass(frozen=True, slots=True)
class EntraToken:
    """A token of Entra in each request; who may is said by all of these.

    `tenant_id` is empty for the operator's own; no `groups` is everybody in it, and no
    `trusted_peers` is from anywhere.
    """

    audiences: tuple[str, ...]
    tenant_id: str
    header: str
    groups: tuple[str, ...]
    trusted_peers: tuple[str, ...]

    def closed(self, tenant: str) -> bool:
        """Tell whether only people of this tenant may chat: into another one anybody may get."""
        return not self.tenant_id or self.tenant_id.lower() == tenant.lower()

    @classmethod
    def parse(cls, spec: Spec) -> Self:
        """Read it from spec.access.entraToken."""
        return cls(
            audiences=tuple(spec["audiences"]),
            tenant_id=spec.get("tenantId", ""),
            header=spec["header"],
            groups=tuple(spec.get("groups", ())),
            trusted_peers=tuple(spec.get("trustedPeers", ())),
        )


def _access(spec: Spec) -> ProxyHeaders | EntraToken | None:
    """Read spec.access; None: whoever can reach the chatbot may chat."""
    if "entraToken" in spec:
        return EntraToken.parse(spec["entraToken"])
    return ProxyHeaders.parse(spec["proxyHeaders"]) if "proxyHeaders" in spec else None


@dataclass(frozen=True, slots=True)
class Exposure:
    """How a chatbot is reached beyond its Service's type and port."""

    service_annotations: Mapping[str, str]
    ingress: Ingress | None
    route: HttpRoute | None
    policy: Policy
    access: ProxyHeaders | EntraToken | None

    @classmethod
    def parse(cls, spec: Spec) -> Self:
        """Read it from a chatbot's spec."""
        return cls(
            service_annotations=spec["service"].get("annotations", {}),
            ingress=Ingress.parse(spec["ingress"]) if "ingress" in spec else None,
            route=HttpRoute.parse(spec["httpRoute"]) if "httpRoute" in spec else None,
            policy=Policy.parse(spec["networkPolicy"]),
            access=_access(spec.get("access", {})),
        )

    def anonymous(self, service_type: str, tenant: str) -> bool:
        """Tell whether everybody on the internet may chat; `tenant` is the operator's."""
        public = service_type == "LoadBalancer" and self.service_annotations.get(INTERNAL) != "true"
        return public and not (self.access and self.access.closed(tenant))


def _private(text: str) -> bool:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return any(
        network.version == private.version
        and int(private.network_address) <= int(network.network_address)
        and int(network.broadcast_address) <= int(private.broadcast_address)
        for private in _PRIVATE
    )
