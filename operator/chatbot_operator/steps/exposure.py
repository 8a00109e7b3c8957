"""How visitors come to the Service: Ingress, HTTPRoute, a load balancer's address."""

from __future__ import annotations

from http import HTTPStatus

from chatbot_operator import manifests, ports
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.errors import KubernetesRefusal, Pending, Stuck
from chatbot_operator.ports import Installation, Object, World
from chatbot_operator.steps.children import provide
from chatbot_operator.steps.together import both

_RESULTS = ("Accepted", "ResolvedRefs")


async def expose(world: World, chatbot: Chatbot) -> Object | None:
    """Make Ingress and HTTPRoute as the chatbot says, and give the HTTPRoute as it lives."""
    _, route = await both(
        provide(world, chatbot, ports.INGRESSES, manifests.ingress(chatbot)),
        _route(world, chatbot),
    )
    return route


async def _route(world: World, chatbot: Chatbot) -> Object | None:
    try:
        return await provide(world, chatbot, ports.HTTP_ROUTES, manifests.http_route(chatbot))
    except KubernetesRefusal as refusal:
        if refusal.status != HTTPStatus.NOT_FOUND:
            raise
        raise Stuck(
            "GatewayApiMissing",
            f"The cluster knows no {ports.HTTP_ROUTES.kind} of {ports.HTTP_ROUTES.api_version}."
            " Install the Gateway API, or leave spec.httpRoute out.",
        ) from refusal


def url(chatbot: Chatbot, service: Object) -> str:
    """Give the address that visitors use; empty while a load balancer has none."""
    if chatbot.exposure.ingress is not None:
        return chatbot.exposure.ingress.url
    if chatbot.exposure.route is not None:
        return chatbot.exposure.route.url
    return service_url(chatbot, service)


def service_url(chatbot: Chatbot, service: Object) -> str:
    """Give the address of the Service itself; empty while a load balancer has none."""
    port = "" if chatbot.service_port == 80 else f":{chatbot.service_port}"  # noqa: PLR2004
    if chatbot.service_type == "ClusterIP":
        return f"http://{chatbot.name}.{chatbot.namespace}.svc{port}"
    balancer = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    host = (balancer[0].get("hostname") or balancer[0].get("ip")) if balancer else ""
    host = f"[{host}]" if host and ":" in host else host
    return f"http://{host}{port}" if host else ""


def hint(chatbot: Chatbot, installation: Installation) -> str:
    """Say what a NetworkPolicy is about to keep out, where it is likely not meant to."""
    exposure, policy = chatbot.exposure, chatbot.exposure.policy
    led = exposure.ingress or exposure.route
    admitted = installation.gateway_namespaces or policy.from_namespaces
    if not led or admitted or not policy.enabled or chatbot.service_type == "LoadBalancer":
        return ""
    return (
        "The NetworkPolicy lets in no gateway: name its namespace in the operator's"
        " GATEWAY_NAMESPACES or in spec.networkPolicy.fromNamespaces."
    )


def judge(chatbot: Chatbot, service: Object, route: Object | None) -> None:
    """See that visitors are led to the Service, or raise the fault that says what is missing."""
    if not service_url(chatbot, service):
        raise Pending("AddressPending", "The load balancer has no address yet.")
    if route is not None:
        _judge_route(route)


def _judge_route(route: Object) -> None:
    """Read what Gateways say of the route, each by conditions of its own."""
    generation = route["metadata"].get("generation")
    said = [
        condition
        for parent in route.get("status", {}).get("parents", ())
        for condition in parent.get("conditions", ())
        if condition["type"] in _RESULTS and condition.get("observedGeneration") == generation
    ]
    for condition in said:
        if condition["status"] == "False":
            raise Stuck(
                "RouteNotAccepted",
                f"A Gateway does not take the HTTPRoute ({condition['reason']}):"
                f" {condition.get('message', '')} Check spec.httpRoute.parentRefs and hostnames"
                " against the listeners of the Gateway.",
            )
    if not any(condition["status"] == "True" for condition in said):
        raise Pending("RoutePending", "No Gateway has accepted the HTTPRoute yet.")
