"""The Kubernetes objects of a chatbot, and whether a live one still is what was wanted. Pure."""

from chatbot_operator.manifests.comparison import (
    current,
    differences,
    differs,
    intent,
    outcome,
    owned,
)
from chatbot_operator.manifests.exposure import http_route, ingress, network_policy
from chatbot_operator.manifests.foreign import foreign, injected
from chatbot_operator.manifests.objects import (
    INTENT,
    MANAGER,
    TEMPLATE,
    WATCH,
    Wanted,
    selector,
)
from chatbot_operator.manifests.pods import GRACE_SECONDS, OPS_PORT, PAGE_PORT
from chatbot_operator.manifests.restoration import disclaimer, restoration
from chatbot_operator.manifests.scaling import (
    autoscaler,
    count,
    counted_by_us_alone,
    disruption_budget,
    emptied,
)
from chatbot_operator.manifests.workload import (
    config_map,
    deployment,
    service,
    service_account,
)

__all__ = [
    "GRACE_SECONDS",
    "INTENT",
    "MANAGER",
    "OPS_PORT",
    "PAGE_PORT",
    "TEMPLATE",
    "WATCH",
    "Wanted",
    "autoscaler",
    "config_map",
    "count",
    "counted_by_us_alone",
    "current",
    "deployment",
    "differences",
    "differs",
    "disclaimer",
    "disruption_budget",
    "emptied",
    "foreign",
    "http_route",
    "ingress",
    "injected",
    "intent",
    "network_policy",
    "outcome",
    "owned",
    "restoration",
    "selector",
    "service",
    "service_account",
]
