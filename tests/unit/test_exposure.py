"""How a chatbot is reached and by whom, as manifests and as faults."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from chatbot_operator import manifests, ports
from chatbot_operator.errors import KubernetesRefusal, Pending, Stuck
from chatbot_operator.steps.exposure import hint, judge, url
from unit.bodies import INSTALLATION, chatbot, wanted
from unit.small_world import SmallWorld

HOST = "chat.example.com"
ROUTE = {"parentRefs": [{"name": "public"}], "hostnames": [HOST], "tls": True}
OPERATOR = {
    "namespaceSelector": {
        "matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["operators"]}
        ]
    }
}
POLICY = {"enabled": True, "egress": {"enabled": False}}
PUBLIC = {"type": "LoadBalancer", "port": 80}
PROXY = {"proxyHeaders": {"user": "X-User", "trustedPeers": ["10.0.0.0/8", "fd00::/8"]}}

ENTRA = {"audiences": ["api://bot"], "header": "Authorization"}
TOKEN = {"entraToken": ENTRA}
ANOTHER_TENANT = "44444444-4444-4444-8444-444444444444"


def ingress(**spec):
    return {"host": HOST, "path": "/", **spec}


def policy(
    *,
    endpoint="https://contoso.openai.azure.com/",
    gateways=(),
    monitoring=(),
    namespace="operators",
    **s,
):
    given = wanted(**s)
    there = replace(
        given.installation,
        namespace=namespace,
        gateway_namespaces=gateways,
        monitoring_namespaces=monitoring,
    )
    made = manifests.network_policy(replace(given, installation=there, endpoint=endpoint))
    assert made is not None
    return made["spec"]


def rules(spec):
    return {tuple(p["port"] for p in rule["ports"]): rule.get("from") for rule in spec["ingress"]}


def names(peers):
    return [
        name
        for peer in peers
        for expression in peer.get("namespaceSelector", {}).get("matchExpressions", ())
        for name in expression["values"]
    ]


def test_the_page_is_for_its_namespace_the_operator_and_the_gateways():
    limits = {"enabled": True, "fromNamespaces": ["portal"], "egress": {"enabled": False}}
    spec = policy(networkPolicy=limits, gateways=("ingress", "gateways"))
    assert spec["podSelector"] == {"matchLabels": manifests.selector("support")}
    assert spec["policyTypes"] == ["Ingress"]
    page = rules(spec)[8080,]
    assert {"podSelector": {}} in page
    assert names(page) == ["gateways", "ingress", "operators", "portal"]


def test_only_the_operator_asks_for_readiness():
    assert rules(policy(gateways=("ingress",)))[8088,] == [OPERATOR]


def test_prometheus_reads_the_metrics_from_where_it_is_said_to_run_and_no_page():
    by_port = rules(policy(monitoring=("monitoring", "kube-system")))
    assert names(by_port[8088,]) == ["kube-system", "monitoring", "operators"]
    assert names(by_port[8080,]) == ["operators"]
    assert rules(policy(namespace="", monitoring=("monitoring",)))[8088,] is None


def test_an_operator_outside_the_cluster_is_let_in_from_anywhere():
    by_port = rules(policy(namespace=""))
    assert by_port[8088,] is None
    assert by_port[8080,] == [{"podSelector": {}}]


def test_a_load_balancer_lets_everybody_to_the_page_and_to_nothing_else():
    by_port = rules(policy(service=PUBLIC))
    assert by_port[8080,] is None
    assert by_port[8088,] == [OPERATOR]


def test_packets_go_to_names_and_https_and_never_to_the_metadata_service():
    limits = {"enabled": True, "egress": {"enabled": True}}
    spec = policy(networkPolicy=limits)
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    dns, https = spec["egress"]
    assert {(p["protocol"], p["port"]) for p in dns["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert https["ports"] == [{"port": 443, "protocol": "TCP"}]
    for rule in (dns, https):
        first, second = (peer["ipBlock"] for peer in rule["to"])
        assert first["cidr"] == "0.0.0.0/0"
        assert "169.254.169.254/32" in first["except"]
        assert second == {"cidr": "::/0"}
    assert "168.63.129.16/32" in https["to"][0]["ipBlock"]["except"]


def test_packets_go_to_the_port_of_a_gateway_before_the_account():
    limits = {"enabled": True, "egress": {"enabled": True}}
    _, https = policy(networkPolicy=limits, endpoint="https://gw.example:8443/x/")["egress"]
    assert [p["port"] for p in https["ports"]] == [443, 8443]


def test_packets_go_to_the_port_of_the_proxy():
    limits = {"enabled": True, "egress": {"enabled": True}}
    given = wanted(networkPolicy=limits)
    outlet = ports.Outlet(https_proxy="http://proxy.example:3128")
    there = replace(given.installation, outlet=outlet)
    made = manifests.network_policy(replace(given, installation=there))
    assert made is not None
    assert [p["port"] for p in made["spec"]["egress"][1]["ports"]] == [443, 3128]


def test_a_policy_that_is_not_wanted_is_not_made():
    off = {"enabled": False, "egress": {"enabled": False}}
    assert manifests.network_policy(wanted(networkPolicy=off)) is None


@pytest.mark.parametrize(
    ("spec", "address"),
    [
        ({}, "http://support.team.svc"),
        ({"ingress": ingress()}, f"http://{HOST}/"),
        ({"ingress": ingress(path="/x", tlsSecretName="s")}, f"https://{HOST}/x"),
        ({"httpRoute": ROUTE}, f"https://{HOST}/"),
        ({"httpRoute": {**ROUTE, "tls": False}}, f"http://{HOST}/"),
        ({"httpRoute": ROUTE, "ingress": ingress(host="first.example")}, "http://first.example/"),
    ],
)
def test_the_url_is_where_visitors_go(spec, address):
    assert url(chatbot(**spec), {}) == address


@pytest.mark.parametrize(
    ("service", "access", "anonymous"),
    [
        ({"type": "ClusterIP", "port": 80}, None, False),
        (PUBLIC, None, True),
        (PUBLIC, PROXY, False),
        (PUBLIC, {"proxyHeaders": {"user": "X", "trustedPeers": ["0.0.0.0/0"]}}, True),
        (
            PUBLIC,
            {"proxyHeaders": {"user": "X", "trustedPeers": ["10.0.0.0/8", "8.0.0.0/8"]}},
            True,
        ),
        (PUBLIC, {"proxyHeaders": {"user": "X", "trustedPeers": ["::/0"]}}, True),
        (PUBLIC, {"proxyHeaders": {"user": "X", "trustedPeers": ["10.0.0.0/7"]}}, True),
        (PUBLIC, {"proxyHeaders": {"user": "X", "trustedPeers": ["172.20.1.0/24"]}}, False),
        (PUBLIC, {"proxyHeaders": {"user": "X", "trustedPeers": ["nonsense"]}}, True),
        (PUBLIC, TOKEN, False),
        (PUBLIC, {"entraToken": {**ENTRA, "tenantId": INSTALLATION.tenant_id.upper()}}, False),
        (PUBLIC, {"entraToken": {**ENTRA, "tenantId": ANOTHER_TENANT}}, True),
        (PUBLIC, {"entraToken": {**ENTRA, "trustedPeers": ["0.0.0.0/0"]}}, False),
    ],
)
def test_everybody_may_chat_at_a_public_address_that_no_proxy_guards(service, access, anonymous):
    spec = {"service": service, **({"access": access} if access else {})}
    exposure = chatbot(**spec).exposure
    assert exposure.anonymous(service["type"], INSTALLATION.tenant_id) is anonymous


@pytest.mark.parametrize(("value", "anonymous"), [("true", False), ("false", True), ("True", True)])
def test_an_internal_load_balancer_is_not_public(value, anonymous):
    internal = {"service.beta.kubernetes.io/azure-load-balancer-internal": value}
    given = chatbot(service={**PUBLIC, "annotations": internal})
    assert given.exposure.anonymous("LoadBalancer", INSTALLATION.tenant_id) is anonymous


def test_a_load_balancer_before_a_proxy_does_not_hide_where_visitors_come_from():
    service = manifests.service(chatbot(service=PUBLIC, access=PROXY))
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    peers = {"entraToken": {**ENTRA, "trustedPeers": ["10.0.0.0/8"]}}
    service = manifests.service(chatbot(service=PUBLIC, access=peers))
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    tokens = manifests.service(chatbot(service=PUBLIC, access=TOKEN))
    assert "externalTrafficPolicy" not in tokens["spec"], "a token says itself whose it is"
    assert "externalTrafficPolicy" not in manifests.service(chatbot(service=PUBLIC))["spec"]
    assert "externalTrafficPolicy" not in manifests.service(chatbot(access=PROXY))["spec"]


@pytest.mark.parametrize(
    ("spec", "gateways", "told"),
    [
        ({}, (), False),
        ({"ingress": ingress()}, (), True),
        ({"httpRoute": ROUTE}, (), True),
        ({"ingress": ingress()}, ("ingress",), False),
        ({"ingress": ingress(), "service": PUBLIC}, (), False),
        ({"ingress": ingress(), "networkPolicy": {**POLICY, "fromNamespaces": ["x"]}}, (), False),
        ({"ingress": ingress(), "networkPolicy": {**POLICY, "enabled": False}}, (), False),
    ],
)
def test_a_gateway_that_the_policy_keeps_out_is_hinted_at(spec, gateways, told):
    here = replace(INSTALLATION, gateway_namespaces=gateways)
    assert ("GATEWAY_NAMESPACES" in hint(chatbot(**spec), here)) is told


async def test_the_hint_stands_beside_what_is_ready():
    small = SmallWorld(ingress=ingress())
    await small.settle()
    said = next(c for c in small.chatbot["status"]["conditions"] if c["type"] == "WorkloadReady")
    assert said["status"] == "True"
    assert "GATEWAY_NAMESPACES" in said["message"]


def route(*conditions, observed=3):
    stamped = [{"observedGeneration": observed, "reason": "R", **c} for c in conditions]
    return {"metadata": {"generation": 3}, "status": {"parents": [{"conditions": stamped}]}}


YES, NO = {"type": "Accepted", "status": "True"}, {"type": "Accepted", "status": "False"}
UNRESOLVED = {"type": "ResolvedRefs", "status": "False", "message": "No such Service."}


@pytest.mark.parametrize(
    ("live", "kind", "reason"),
    [
        ({"metadata": {"generation": 1}}, Pending, "RoutePending"),
        (route(), Pending, "RoutePending"),
        (route(YES, observed=2), Pending, "RoutePending"),
        (route(NO, observed=2), Pending, "RoutePending"),
        (route(NO), Stuck, "RouteNotAccepted"),
        (route(YES, NO), Stuck, "RouteNotAccepted"),
        (route(YES, UNRESOLVED), Stuck, "RouteNotAccepted"),
    ],
)
def test_a_route_leads_somewhere_when_a_gateway_says_so(live, kind, reason):
    with pytest.raises(kind) as caught:
        judge(chatbot(httpRoute=ROUTE), {}, live)
    assert caught.value.reason == reason


def test_an_accepted_route_leads_somewhere():
    judge(chatbot(httpRoute=ROUTE), {}, route(YES))


async def test_without_the_gateway_api_the_chatbot_works_and_says_what_is_missing():
    small = SmallWorld(httpRoute=ROUTE)
    missing = KubernetesRefusal("apply HTTPRoute", 404, "NotFound", "404 page not found")
    small.cluster.refused[ports.HTTP_ROUTES.plural] = missing
    await small.settle()
    await small.look()
    assert small.condition("WorkloadReady") == ("False", "GatewayApiMissing")
    assert small.condition("Ready") == ("False", "GatewayApiMissing")
    assert small.condition("AccessProven")[0] == "True"
    small.cluster.refused.clear()
    await small.look()
    assert small.condition("WorkloadReady") == ("Unknown", "RoutePending")


async def test_an_optional_object_that_is_wanted_anew_was_not_put_back():
    small = SmallWorld()
    await small.settle()
    small.chatbot["spec"]["ingress"] = ingress()
    small.chatbot["metadata"]["generation"] += 1
    small.cluster.told.clear()
    await small.look()
    assert ("ingresses", "team", "support") in small.cluster.objects
    assert small.cluster.told == []


async def test_at_rest_nothing_is_written():
    small = SmallWorld(ingress=ingress())
    await small.settle()
    before = copy.deepcopy(small.cluster.objects)
    await small.look(after=600)
    assert small.cluster.objects == before
