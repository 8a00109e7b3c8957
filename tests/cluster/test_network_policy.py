"""The NetworkPolicy of a chatbot, as the API server keeps it."""

from __future__ import annotations

from dataclasses import replace

from chatbot_operator.ports import CHATBOTS, DEPLOYMENTS, NETWORK_POLICIES
from cluster_records import moments
from cluster_world import chatbot, key, own_labels


async def policy(hand, namespace):
    live = await hand.get(NETWORK_POLICIES, namespace)
    return live["spec"] if live else None


async def test_a_chatbot_has_one_unless_it_wants_none(operator, hand, namespace):
    here = replace(operator.world.installation, namespace="ops", gateway_namespaces=("ingress",))
    operator.world = replace(operator.world, installation=here)
    await hand.create(chatbot(namespace, networkPolicy={"fromNamespaces": ["portal"]}))
    await operator.settle(key(namespace))
    spec = await policy(hand, namespace)
    assert spec["podSelector"] == {"matchLabels": own_labels()}
    assert spec["policyTypes"] == ["Ingress"]
    page, readiness = spec["ingress"]
    assert page["ports"] == [{"port": 8080, "protocol": "TCP"}]
    name = "kubernetes.io/metadata.name"
    both = {"key": name, "operator": "In", "values": ["ingress", "ops", "portal"]}
    own = {"key": name, "operator": "In", "values": ["ops"]}
    assert page["from"] == [
        {"podSelector": {}},
        {"namespaceSelector": {"matchExpressions": [both]}},
    ]
    assert readiness["ports"] == [{"port": 8088, "protocol": "TCP"}]
    assert readiness["from"] == [{"namespaceSelector": {"matchExpressions": [own]}}]

    await hand.edit(CHATBOTS, namespace, {"spec": {"networkPolicy": {"egress": {"enabled": True}}}})
    await operator.settle(key(namespace))
    spec = await policy(hand, namespace)
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert [p["port"] for p in spec["egress"][0]["ports"]] == [53, 53]
    assert "169.254.169.254/32" in spec["egress"][1]["to"][0]["ipBlock"]["except"]

    await hand.edit(CHATBOTS, namespace, {"spec": {"networkPolicy": {"enabled": False}}})
    await operator.settle(key(namespace))
    assert await policy(hand, namespace) is None


async def test_it_is_there_before_the_first_pod(operator, hand, azure, audit, namespace):
    await hand.create(chatbot(namespace))
    ledger, log = await azure.mark(), audit.mark()
    await operator.settle(key(namespace))
    first = {m.what: m for m in reversed(await moments(azure, audit, ledger, log))}
    assert first["patch networkpolicies"].ended <= first["patch deployments"].begun
    assert await hand.get(DEPLOYMENTS, namespace)
