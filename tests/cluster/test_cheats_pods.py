"""A tenant who has more, other, or otherwise steered pods than the account allows."""

from __future__ import annotations

import pytest
from chatbot_operator.ports import AUTOSCALERS, DEPLOYMENTS, SERVICES
from cluster_world import chatbot, key, path
from sandbox.cluster.api import ApiError

SCALED = {"autoscaling": {"minReplicas": 1, "maxReplicas": 3}}


async def scaled_by_hand(hand, namespace, count):
    where = f"{path(DEPLOYMENTS, namespace, 'support')}/scale"
    await hand.api.patch(where, {"spec": {"replicas": count}})


@pytest.mark.parametrize("spec", [{"replicas": 2}, SCALED], ids=["fixed", "autoscaled"])
async def test_no_hand_scales_the_pods_beyond_what_the_account_allows(
    *, operator, hand, namespace, offer, spec
):
    await hand.create(chatbot(namespace, account=await offer(maxReplicas=2), **spec))
    await operator.settle(key(namespace))
    await scaled_by_hand(hand, namespace, 9)
    await operator.settle(key(namespace))
    assert (await hand.get(DEPLOYMENTS, namespace))["spec"]["replicas"] == 2


async def test_no_edit_of_the_autoscaler_gives_more_pods(operator, hand, namespace, offer):
    await hand.create(chatbot(namespace, account=await offer(maxReplicas=2), **SCALED))
    await operator.settle(key(namespace))
    await hand.edit(AUTOSCALERS, namespace, {"spec": {"maxReplicas": 50}})
    await operator.settle(key(namespace))
    assert (await hand.get(AUTOSCALERS, namespace))["spec"]["maxReplicas"] == 2


async def test_an_edit_of_the_service_opens_nothing(operator, hand, settled):
    await hand.edit(SERVICES, settled, {"spec": {"type": "LoadBalancer"}})
    await operator.settle(key(settled))
    assert (await hand.get(SERVICES, settled))["spec"]["type"] == "ClusterIP"


async def test_an_internal_address_does_not_become_a_public_one(operator, hand, namespace, offer):
    internal = "service.beta.kubernetes.io/azure-load-balancer-internal"
    service = {"type": "LoadBalancer", "annotations": {internal: "true"}}
    name = await offer(serviceTypes=["LoadBalancer"])
    await hand.create(chatbot(namespace, account=name, service=service))
    again = await operator.look(key(namespace))
    while again.fault is None or again.fault.reason != "AddressPending":
        await hand.run_pods(namespace)
        again = await operator.look(key(namespace))
    await hand.edit(SERVICES, namespace, {"metadata": {"annotations": {internal: "false"}}})
    await operator.look(key(namespace))
    live = await hand.get(SERVICES, namespace)
    assert live["metadata"]["annotations"][internal] == "true"


STEERS = {
    "code of another's": ["PYTHONPATH", "PYTHONSTARTUP", "LD_PRELOAD", "LD_LIBRARY_PATH"],
    "whom tokens go to": ["https_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy"],
    "whom it trusts": ["SSL_CERT_FILE", "SSLKEYLOGFILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"],
    "how it encrypts": ["OPENSSL_CONF", "OPENSSL_MODULES"],
    "who it is": ["AZURE_CLIENT_ID", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"],
    "what it may use": ["DAILY_TOKEN_BUDGET", "ACCESS_USER_HEADER", "AZURE_OPENAI_ENDPOINT"],
    "how it is found": ["PATH", "HOSTALIASES", "RES_OPTIONS", "LOCALDOMAIN"],
}


@pytest.mark.parametrize("name", [name for names in STEERS.values() for name in names])
async def test_no_variable_steers_what_an_allowed_image_does(hand, namespace, name):
    env = [{"name": name, "value": "/etc/chatbot"}]
    with pytest.raises(ApiError, match="the operator's own"):
        await hand.create(chatbot(namespace, pods={"env": env}))


STEERING = [
    ("annotations", "sidecar.istio.io/proxyImage"),
    ("annotations", "sidecar.istio.io/userVolume"),
    ("annotations", "inject.istio.io/templates"),
    ("annotations", "config.linkerd.io/proxy-image"),
    ("annotations", "dapr.io/sidecar-image"),
    ("annotations", "vault.hashicorp.com/agent-image"),
    ("annotations", "instrumentation.opentelemetry.io/inject-python"),
    ("annotations", "container.apparmor.security.beta.kubernetes.io/chatbot"),
    ("annotations", "container.seccomp.security.alpha.kubernetes.io/chatbot"),
    ("annotations", "k8s.v1.cni.cncf.io/networks"),
    ("annotations", "azure.workload.identity/inject-proxy-sidecar"),
    ("labels", "aadpodidbinding"),
    ("labels", "azure.workload.identity/use"),
    ("labels", "app.kubernetes.io/instance"),
]
"""By which webhooks and the node put other images, volumes, networks or identities into pods."""


@pytest.mark.parametrize(("kind", "key"), STEERING)
async def test_no_mark_brings_what_a_chatbot_may_not_say_of_its_pods(hand, namespace, kind, key):
    with pytest.raises(ApiError, match=r"are the operator's own|bring other"):
        await hand.create(chatbot(namespace, pods={kind: {key: "x"}}))


async def test_no_chatbot_pushes_the_cluster_itself_off_a_node(hand, namespace):
    with pytest.raises(ApiError, match="the cluster's own"):
        await hand.create(chatbot(namespace, pods={"priorityClassName": "system-node-critical"}))


INJECTING = [
    {"nginx.ingress.kubernetes.io/configuration-snippet": "return 200;"},
    {"nginx.ingress.kubernetes.io/server-snippet": "return 200;"},
    {"haproxy-ingress.github.io/config-backend": "http-request"},
    {"haproxy.org/backend-config-snippet": "http-request"},
    {"nginx.ingress.kubernetes.io/auth-secret": "kube-system/theirs"},
    {"nginx.ingress.kubernetes.io/auth-tls-secret": "victim/ca"},
    {"nginx.ingress.kubernetes.io/proxy-ssl-secret": "victim/client"},
]


@pytest.mark.parametrize("annotations", INJECTING, ids=lambda a: next(iter(a)))
async def test_no_annotation_writes_the_configuration_of_an_ingress_controller(
    hand, namespace, annotations
):
    ingress = {"host": "a.example", "annotations": annotations}
    with pytest.raises(ApiError, match=r"spec\.ingress\.annotations"):
        await hand.create(chatbot(namespace, ingress=ingress))


@pytest.mark.parametrize("image", ["a\u001b[2Jb", "a\u0085b", "contoso.azurecr.io/chat\u202e"])
async def test_an_image_says_nothing_to_a_terminal(hand, namespace, image):
    with pytest.raises(ApiError, match=r"spec\.image"):
        await hand.create(chatbot(namespace, image=image))


@pytest.mark.parametrize(
    "annotations",
    [
        {"prometheus.io/scrape": "true", "sidecar.istio.io/inject": "false"},
        {"cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes": "config"},
        {"backup.velero.io/backup-volumes-excludes": "config"},
    ],
)
async def test_marks_that_bring_nothing_into_pods_are_free(hand, namespace, annotations):
    assert await hand.create(chatbot(namespace, pods={"annotations": annotations}))
