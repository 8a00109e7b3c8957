"""Everything a pass may touch, and what holds for the whole installation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from chatbot_operator.ports.azure import Azure
from chatbot_operator.ports.journal import Journal
from chatbot_operator.ports.kubernetes import Kubernetes
from chatbot_operator.ports.pods import Pods
from chatbot_operator.ports.seen import Step, unseen


class Clock(Protocol):
    """The time of day."""

    def __call__(self) -> dt.datetime:
        """Give the present, in UTC."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """How chatbots get out: by a proxy except to some hosts, trusting more authorities (PEM)."""

    https_proxy: str = ""
    no_proxy: str = ""
    authorities: str = ""


class Manage(StrEnum):
    """What the operator may write in Azure; the rest it verifies, and says how to write it."""

    ALL = "All"
    FEDERATION_ONLY = "FederationOnly"
    NOTHING = "Nothing"

    @property
    def roles(self) -> bool:
        """Tell whether it assigns and withdraws the role."""
        return self is Manage.ALL

    @property
    def identities(self) -> bool:
        """Tell whether it makes and deletes identities with their credentials."""
        return self is not Manage.NOTHING


@dataclass(frozen=True, slots=True)
class Installation:
    """What holds for the whole installation, from settings and from the cluster itself.

    `issuer` is the `iss` claim of the operator's own projected token, byte for byte. `namespace`
    is where the operator runs, empty outside a cluster. `watched` are the namespaces whose chatbots
    are its own; all are when it is empty. `rebind`: a chatbot takes over the identity
    of an earlier one of its name.
    """

    cluster: str
    issuer: str
    tenant_id: str
    image: str
    namespace: str = ""
    watched: tuple[str, ...] = ()
    gateway_namespaces: tuple[str, ...] = ()
    monitoring_namespaces: tuple[str, ...] = ()
    audience: str = "api://AzureADTokenExchange"
    data_scope: str = "https://cognitiveservices.azure.com/.default"
    identity_resource_group: str = ""
    identity_location: str = ""
    proof_delay: float = 15.0
    proof_recheck: float = 300.0
    propagation_deadline: float = 900.0
    resync: float = 3600.0
    proof_poll: float = 2.0
    withdrawal_grace: float = 300.0
    credential_grace: float = 3600.0
    rebind: bool = False
    manage: Manage = Manage.ALL
    outlet: Outlet = Outlet()

    def watches(self, namespace: str) -> bool:
        """Tell whether chatbots of a namespace are this operator's."""
        return not self.watched or namespace in self.watched


@dataclass(frozen=True, slots=True)
class World:
    """Everything a pass may touch, and its journal, which each pass begins anew.

    `undone` remembers by uid what admission made of an object that the operator has given up on.
    `step` watches each step.
    """

    kubernetes: Kubernetes
    azure: Azure
    pods: Pods
    now: Clock
    installation: Installation
    journal: Journal = field(default_factory=Journal)
    undone: dict[str, str] = field(default_factory=dict)
    step: Step = unseen
