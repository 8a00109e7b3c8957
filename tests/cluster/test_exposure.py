"""How visitors come to a chatbot: Service, Ingress, HTTPRoute, and what keeps others away."""

from __future__ import annotations

import asyncio

import pytest
from chatbot_operator.ports import (
    CHATBOTS,
    DEPLOYMENTS,
    HTTP_ROUTES,
    INGRESSES,
    NETWORK_POLICIES,
    SERVICES,
)
from cluster_world import PATIENCE, chatbot, key
from gateway import accept

HOST = "chat.example.com"
ROUTE = {
    "parentRefs": [
        {"name": "public", "namespace": "gateways", "sectionName": "https", "port": 443}
    ],
    "hostnames": [HOST, "bot.example.com"],
}
EVERYTHING = {
    "ingress": {"host": HOST},
    "httpRoute": ROUTE,
    "networkPolicy": {"egress": {"enabled": True}},
}


async def url(hand, namespace):
    return (await hand.get(CHATBOTS, namespace))["status"]["url"]


async def waiting(operator, hand, namespace, reason):
    """Passes until the pods run; what WorkloadReady then says must have this reason."""
    await hand.roll_out(namespace, "support")
    for _ in range(20):
        again = await operator.look(key(namespace))
        if again.fault and again.fault.reason in {"PodsStarting", "RollingOut"}:
            await hand.roll_out(namespace, "support")
        elif again.seconds:
            break
    conditions = await hand.conditions(namespace)
    assert conditions["WorkloadReady"]["reason"] == reason
    assert conditions["Ready"]["reason"] == reason
    return conditions, again


async def test_an_ingress_leads_to_the_service(operator, hand, namespace):
    ingress = {"host": HOST, "className": "public", "path": "/chat", "annotations": {"a.b/c": "d"}}
    await hand.create(chatbot(namespace, ingress=ingress))
    await operator.settle(key(namespace))
    live = await hand.get(INGRESSES, namespace)
    assert live["metadata"]["annotations"]["a.b/c"] == "d"
    assert live["spec"] == {
        "ingressClassName": "public",
        "rules": [
            {
                "host": HOST,
                "http": {
                    "paths": [
                        {
                            "path": "/chat",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "support", "port": {"name": "http"}}},
                        }
                    ]
                },
            }
        ],
    }
    assert await url(hand, namespace) == f"http://{HOST}/chat"

    changed = {"host": "bot.example.com", "path": "/", "tlsSecretName": "bot", "annotations": None}
    await hand.edit(CHATBOTS, namespace, {"spec": {"ingress": changed}})
    await operator.settle(key(namespace))
    live = await hand.get(INGRESSES, namespace)
    assert live["spec"]["tls"] == [{"hosts": ["bot.example.com"], "secretName": "bot"}]
    assert live["spec"]["rules"][0]["host"] == "bot.example.com"
    assert "a.b/c" not in live["metadata"]["annotations"]
    assert await url(hand, namespace) == "https://bot.example.com/"


async def test_what_is_no_longer_wanted_is_removed_and_nothing_else(operator, hand, namespace):
    await hand.create(chatbot(namespace, **EVERYTHING))
    await waiting(operator, hand, namespace, "RoutePending")
    assert len(await hand.children(namespace)) == 7
    less = {"ingress": None, "httpRoute": None, "networkPolicy": {"enabled": False}}
    await hand.edit(CHATBOTS, namespace, {"spec": less})
    await operator.settle(key(namespace))
    wanted = {"ServiceAccount", "ConfigMap", "Deployment", "Service"}
    async with asyncio.timeout(PATIENCE):  # the garbage collector learns of new kinds slowly
        while (left := await hand.children(namespace)).keys() != wanted:
            assert all(
                "deletionTimestamp" in left[kind]["metadata"] for kind in left.keys() - wanted
            )
            await asyncio.sleep(0.5)
    assert await url(hand, namespace) == f"http://support.{namespace}.svc"


async def test_everything_goes_with_the_chatbot(operator, hand, namespace):
    await hand.create(chatbot(namespace, **EVERYTHING))
    await waiting(operator, hand, namespace, "RoutePending")
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await hand.children(namespace) == {}


@pytest.mark.parametrize("kind", [INGRESSES, HTTP_ROUTES, NETWORK_POLICIES], ids=lambda k: k.kind)
async def test_what_somebody_deletes_or_edits_is_put_right(operator, hand, namespace, kind):
    await hand.create(chatbot(namespace, **EVERYTHING))
    await waiting(operator, hand, namespace, "RoutePending")
    before = (await hand.get(kind, namespace))["spec"]
    await hand.delete(kind, namespace)
    await operator.look(key(namespace))
    assert (await hand.get(kind, namespace))["spec"] == before
    edits = {
        INGRESSES: {"rules": [{"host": "evil.example"}]},
        HTTP_ROUTES: {"hostnames": ["evil.example"]},
        NETWORK_POLICIES: {"ingress": [{}]},
    }
    await hand.edit(kind, namespace, {"spec": edits[kind]})
    await operator.look(key(namespace))
    assert (await hand.get(kind, namespace))["spec"] == before


async def test_at_rest_nothing_is_written(*, operator, hand, azure, audit, namespace, clock):
    await hand.create(chatbot(namespace, **EVERYTHING))
    await waiting(operator, hand, namespace, "RoutePending")
    await accept(hand, namespace)
    await operator.settle(key(namespace))
    ledger, log = await azure.mark(), audit.mark()
    await operator.look(key(namespace))
    clock.ahead = 2 * operator.world.installation.resync
    await operator.look(key(namespace))
    assert audit.since(log)
    assert not audit.writes(log)
    assert not await azure.writes(ledger)


async def test_a_refused_annotation_beside_a_good_change_is_written_once(
    *, operator, hand, audit, namespace
):
    await hand.create(chatbot(namespace, ingress={"host": HOST}))
    await operator.settle(key(namespace))
    bad = {"host": "b.example", "annotations": {"not a name!": "x"}}
    await hand.edit(CHATBOTS, namespace, {"spec": {"ingress": bad}})
    assert (await operator.refused(key(namespace))).reason == "ClusterRefused"
    before = await hand.get(INGRESSES, namespace)
    for _ in range(3):
        await operator.look(key(namespace))
    assert await hand.get(INGRESSES, namespace) == before


async def test_somebody_elses_ingress_of_that_name_stays(operator, hand, namespace):
    theirs = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "support", "namespace": namespace},
        "spec": {"rules": [{"host": "theirs.example"}]},
    }
    before = await hand.create(theirs)
    await hand.create(chatbot(namespace, ingress={"host": HOST}))
    assert (await operator.refused(key(namespace))).reason == "OwnershipConflict"
    await hand.edit(CHATBOTS, namespace, {"spec": {"ingress": None}})
    await operator.settle(key(namespace))
    assert await hand.get(INGRESSES, namespace) == before


async def test_a_route_names_its_gateways_and_waits_for_one(operator, hand, namespace):
    await hand.create(chatbot(namespace, httpRoute=ROUTE))
    conditions, again = await waiting(operator, hand, namespace, "RoutePending")
    assert conditions["AccessProven"]["status"] == "True"
    assert not again.failed
    spec = (await hand.get(HTTP_ROUTES, namespace))["spec"]
    (parent,) = spec["parentRefs"]
    assert ROUTE["parentRefs"][0].items() <= parent.items()
    assert spec["hostnames"] == ROUTE["hostnames"]
    ((backend,),) = [rule["backendRefs"] for rule in spec["rules"]]
    assert (backend["name"], backend["port"]) == ("support", 80)

    await accept(hand, namespace)
    await operator.settle(key(namespace))
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"
    assert await url(hand, namespace) == f"https://{HOST}/"

    elsewhere = {"parentRefs": [{"name": "other"}], "hostnames": ["b.example"], "tls": False}
    await hand.edit(CHATBOTS, namespace, {"spec": {"httpRoute": elsewhere}})
    await waiting(operator, hand, namespace, "RoutePending")  # what was accepted is another route
    spec = (await hand.get(HTTP_ROUTES, namespace))["spec"]
    assert [p["name"] for p in spec["parentRefs"]] == ["other"]
    assert "namespace" not in spec["parentRefs"][0]
    assert await url(hand, namespace) == "http://b.example/"


async def test_a_route_that_a_gateway_refuses(operator, hand, namespace):
    await hand.create(chatbot(namespace, httpRoute=ROUTE))
    await waiting(operator, hand, namespace, "RoutePending")
    await accept(hand, namespace, "False", "NotAllowedByListeners")
    conditions, _ = await waiting(operator, hand, namespace, "RouteNotAccepted")
    assert "NotAllowedByListeners" in conditions["WorkloadReady"]["message"]
    assert conditions["Stalled"]["status"] == "True"
    assert conditions["AccessProven"]["status"] == "True"


async def test_a_load_balancer_is_ready_when_it_has_an_address(
    operator, hand, namespace, offer, kubectl
):
    name = await offer(serviceTypes=["LoadBalancer"])
    internal = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
    service = {"type": "LoadBalancer", "port": 8000, "annotations": internal}
    await hand.create(chatbot(namespace, account=name, service=service))
    conditions, again = await waiting(operator, hand, namespace, "AddressPending")
    assert conditions["AccessProven"]["status"] == "True"
    assert not again.failed
    live = await hand.get(SERVICES, namespace)
    assert internal.items() <= live["metadata"]["annotations"].items()
    policy = (await hand.get(NETWORK_POLICIES, namespace))["spec"]
    assert "from" not in policy["ingress"][0]

    await hand.give_address(namespace, "10.0.0.9")
    await operator.settle(key(namespace))
    assert await url(hand, namespace) == "http://10.0.0.9:8000"


async def test_access_goes_to_the_pods_and_opens_a_public_address(operator, hand, namespace, offer):
    headers = {"user": "X-User", "trustedPeers": ["10.244.0.0/16"]}
    spec = {
        "account": await offer(serviceTypes=["ClusterIP", "LoadBalancer"]),
        "service": {"type": "LoadBalancer"},
        "access": {"proxyHeaders": headers},
    }
    await hand.create(chatbot(namespace, **spec))
    await waiting(operator, hand, namespace, "AddressPending")
    (container,) = (await hand.get(DEPLOYMENTS, namespace))["spec"]["template"]["spec"][
        "containers"
    ]
    given = {e["name"]: e.get("value") for e in container["env"]}
    assert given["ACCESS_USER_HEADER"] == "X-User"
    assert given["ACCESS_TRUSTED_PEERS"] == "10.244.0.0/16"
    assert (await hand.get(SERVICES, namespace))["spec"]["externalTrafficPolicy"] == "Local"

    public = {"proxyHeaders": {**headers, "trustedPeers": ["0.0.0.0/1", "128.0.0.0/1"]}}
    await hand.edit(CHATBOTS, namespace, {"spec": {"access": public}})
    assert (await operator.refused(key(namespace))).reason == "AnonymousNotAllowed"
    inside = {"service": {"type": "ClusterIP"}, "access": None}
    await hand.edit(CHATBOTS, namespace, {"spec": inside})
    await operator.settle(key(namespace))
    assert "externalTrafficPolicy" not in (await hand.get(SERVICES, namespace))["spec"]


async def test_a_token_of_the_operators_tenant_opens_a_public_address(
    operator, hand, namespace, offer
):
    spec = {
        "account": await offer(serviceTypes=["ClusterIP", "LoadBalancer"]),
        "service": {"type": "LoadBalancer"},
        "access": {"entraToken": {"audiences": ["api://bot"]}},
    }
    await hand.create(chatbot(namespace, **spec))
    await waiting(operator, hand, namespace, "AddressPending")
    (container,) = (await hand.get(DEPLOYMENTS, namespace))["spec"]["template"]["spec"][
        "containers"
    ]
    given = {e["name"]: e.get("value") for e in container["env"] if "TOKEN" in e["name"]}
    assert given == {
        "ACCESS_TOKEN_AUDIENCES": "api://bot",
        "ACCESS_TOKEN_TENANT": operator.world.installation.tenant_id,
        "ACCESS_TOKEN_HEADER": "Authorization",
    }
    assert (await hand.get(SERVICES, namespace))["spec"]["externalTrafficPolicy"] == "Cluster"

    another = {"entraToken": {"tenantId": "44444444-4444-4444-8444-444444444444"}}
    await hand.edit(CHATBOTS, namespace, {"spec": {"access": another}})
    assert (await operator.refused(key(namespace))).reason == "AnonymousNotAllowed"


@pytest.mark.parametrize("where", ["ingress", "service"])
async def test_an_annotation_that_the_api_server_refuses_is_told(operator, hand, namespace, where):
    bad = {"not a name!": "x"}
    spec = {
        "ingress": {"ingress": {"host": HOST, "annotations": bad}},
        "service": {"service": {"annotations": bad}},
    }
    await hand.create(chatbot(namespace, **spec[where]))
    fault = await operator.refused(key(namespace))
    assert fault.reason == "ClusterRefused"
    assert "not a name!" in fault.message
    again = await operator.look(key(namespace))
    assert again.failed or again.seconds >= 60
