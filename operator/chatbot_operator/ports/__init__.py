"""What the steps need of the world: Protocols, and the values that pass through them."""

from chatbot_operator.ports.azure import Azure
from chatbot_operator.ports.azure_resources import (
    Assignment,
    Credential,
    Identity,
    Model,
    Network,
    OpenAIAccount,
    Permission,
    PrivateEndpoint,
)
from chatbot_operator.ports.entra import Discovery, Tenancy
from chatbot_operator.ports.journal import Journal, Note, Receipt
from chatbot_operator.ports.kubernetes import Kubernetes
from chatbot_operator.ports.pods import Pods, Presented, Readiness
from chatbot_operator.ports.resources import (
    ACCOUNTS,
    AUTOSCALERS,
    CHATBOTS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    EVENTS,
    HTTP_ROUTES,
    INGRESSES,
    NAMESPACES,
    NETWORK_POLICIES,
    PODS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Object,
    Resource,
)
from chatbot_operator.ports.seen import Request, Step, Tell, unseen, wrote
from chatbot_operator.ports.world import Clock, Installation, Manage, Outlet, World

__all__ = [
    "ACCOUNTS",
    "AUTOSCALERS",
    "CHATBOTS",
    "CONFIG_MAPS",
    "DEPLOYMENTS",
    "DISRUPTION_BUDGETS",
    "EVENTS",
    "HTTP_ROUTES",
    "INGRESSES",
    "NAMESPACES",
    "NETWORK_POLICIES",
    "PODS",
    "SERVICES",
    "SERVICE_ACCOUNTS",
    "Assignment",
    "Azure",
    "Clock",
    "Credential",
    "Discovery",
    "Identity",
    "Installation",
    "Journal",
    "Kubernetes",
    "Manage",
    "Model",
    "Network",
    "Note",
    "Object",
    "OpenAIAccount",
    "Outlet",
    "Permission",
    "Pods",
    "Presented",
    "PrivateEndpoint",
    "Readiness",
    "Receipt",
    "Request",
    "Resource",
    "Step",
    "Tell",
    "Tenancy",
    "World",
    "unseen",
    "wrote",
]
