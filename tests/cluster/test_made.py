"""What an applied chatbot is made of, in the cluster and in Azure, and in which order."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from chatbot_operator import naming
from chatbot_operator.chatbot import FINALIZER
from chatbot_operator.ports import CHATBOTS, CONFIG_MAPS, DEPLOYMENTS
from cluster_records import moments
from cluster_world import (
    ACCOUNT_ID,
    ASSIGNMENTS,
    Operator,
    chatbot,
    identity_path,
    key,
    own_labels,
)
from sandbox.azure import settings as fixed

OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"


async def test_azure_holds_an_identity_one_role_and_one_credential(
    *, operator, hand, azure, namespace, standing, control_plane
):
    made = await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    uid, cluster = made["metadata"]["uid"], standing.cluster

    identity = await azure.identity(namespace)
    assert identity["group"] == fixed.IDENTITY_GROUP
    assert identity["tags"] == {
        "chatbot-operator-owner": cluster,
        "chatbot-operator-namespace": namespace,
        "chatbot-operator-name": "support",
        "chatbot-operator-uid": uid,
    }
    (credential,) = identity["credentials"]
    assert credential["issuer"] == control_plane.issuer
    assert credential["subject"] == f"system:serviceaccount:{namespace}:support"
    assert credential["audience"] == "api://AzureADTokenExchange"
    (assignment,) = await azure.assignments(identity["principal_id"])
    assert assignment["scope"] == ACCOUNT_ID
    assert assignment["role_definition_id"].endswith(f"/roleDefinitions/{OPENAI_USER}")
    assert assignment["principal_type"] == "ServicePrincipal"
    assert assignment["description"] == f"{cluster}/{namespace}/support/{uid}"


async def test_the_cluster_holds_what_runs_and_serves_it(operator, hand, azure, namespace):
    made = await hand.create(chatbot(namespace, chat={"systemPrompt": "Be kind."}))
    await operator.settle(key(namespace))
    identity = await azure.identity(namespace)
    children = await hand.children(namespace)

    account = children["ServiceAccount"]
    annotations = account["metadata"]["annotations"]
    assert annotations["azure.workload.identity/client-id"] == identity["client_id"]
    assert annotations["azure.workload.identity/tenant-id"] == fixed.TENANT
    assert account["automountServiceAccountToken"] is False
    spec = children["Deployment"]["spec"]
    assert spec["selector"]["matchLabels"] == own_labels()
    labels = spec["template"]["metadata"]["labels"]
    assert labels == {**own_labels(), "azure.workload.identity/use": "true"}
    assert spec["template"]["spec"]["serviceAccountName"] == "support"
    assert children["ConfigMap"]["data"]["system-prompt"] == "Be kind."
    service = children["Service"]["spec"]
    assert service["selector"] == own_labels()
    assert [(p["port"], p["targetPort"]) for p in service["ports"]] == [(80, "http")]
    for child in children.values():
        (owner,) = child["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == (made["metadata"]["uid"], True)


async def test_the_status_says_how_it_stands_and_kubectl_shows_it(
    operator, hand, azure, kubectl, namespace
):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    conditions = await hand.conditions(namespace)
    assert {kind: c["status"] for kind, c in conditions.items()} == dict.fromkeys(
        [
            "Ready",
            "Permitted",
            "IdentityReady",
            "RoleAssigned",
            "FederationReady",
            "WorkloadReady",
            "AccessProven",
            "LeastPrivilege",
        ],
        "True",
    )
    live = await hand.get(CHATBOTS, namespace)
    assert live["status"]["observedGeneration"] == live["metadata"]["generation"]
    assert live["status"]["provenAt"] == "2026-01-31T12:00:00Z"

    shown = kubectl("get", "chatbot", "support", "-n", namespace, "-o", "wide").splitlines()
    row = dict(zip(shown[0].split(), shown[1].split(maxsplit=9), strict=True))
    assert row | {"AGE": ""} == {
        "NAME": "support",
        "READY": "True",
        "REASON": "Ready",
        "DEPLOYMENT": "gpt-4o",
        "REPLICAS": "1/1",
        "URL": f"http://support.{namespace}.svc",
        "AGE": "",
        "CLIENT-ID": (await azure.identity(namespace))["client_id"],
        "ACCOUNT": "contoso",
        "MESSAGE": "The account answers this chatbot's own pods.",
    }
    shown = kubectl("get", "aoai", "contoso").splitlines()
    assert shown[1].split()[:3] == ["contoso", "True", "Usable"]


async def test_everything_is_written_in_the_order_that_survives_a_stop(
    operator, hand, azure, audit, namespace
):
    await hand.create(chatbot(namespace))
    ledger, log = await azure.mark(), audit.mark()
    await operator.settle(key(namespace))
    done = await moments(azure, audit, ledger, log)
    first = {m.what: m for m in reversed(done)}
    finalizer = first["patch azureopenaichatbots"]
    assert done[0] == finalizer
    order = [
        finalizer,
        first["patch azureopenaichatbots/status"],  # where to look for what is made next
        first["PUT userAssignedIdentities"],
        first["PUT roleAssignments"],
        first["patch serviceaccounts"],
        first["patch deployments"],
    ]
    for one, other in pairwise(order):
        assert one.ended <= other.begun, (one, other)
    credential = first["PUT federatedIdentityCredentials"]
    assert first["PUT userAssignedIdentities"].ended <= credential.begun
    assert credential.ended <= first["patch deployments"].begun


async def test_everything_is_taken_away_in_the_opposite_order(
    operator, hand, azure, audit, namespace
):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    ledger, log = await azure.mark(), audit.mark()
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    done = {m.what: m for m in await moments(azure, audit, ledger, log)}
    order = [
        "delete deployments",
        "DELETE roleAssignments",
        "DELETE userAssignedIdentities",
        "delete serviceaccounts",
        "patch azureopenaichatbots",
    ]
    for one, other in pairwise(order):
        assert done[one].ended <= done[other].begun, (one, other)
    assert await hand.get(CHATBOTS, namespace) is None
    assert await hand.children(namespace) == {}
    assert await azure.identities(namespace) == []
    assert await azure.described(namespace) == []


async def test_azure_is_touched_only_when_no_pod_is_left(operator, hand, azure, namespace):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    (pod,) = (await hand.api.get(f"/api/v1/namespaces/{namespace}/pods"))["items"]
    hold = {"metadata": {"finalizers": ["example.com/hold"]}}
    where = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}"
    await hand.api.patch(where, hold)
    await hand.delete(CHATBOTS, namespace)
    before = await azure.mark()
    for _ in range(10):
        again = await operator.look(key(namespace))
        await asyncio.sleep(0.05)
    assert again.fault.reason == "PodsLeaving"
    assert not await azure.writes(before)
    await hand.api.patch(where, {"metadata": {"finalizers": []}})
    await operator.settle(key(namespace))
    assert await azure.identities(namespace) == []


async def test_at_rest_nothing_is_written_also_after_a_restart_or_a_resync(
    *, operator, hand, azure, audit, namespace, clock
):
    await hand.create(chatbot(namespace, chat={"systemPrompt": "🤖"}, openAI={"temperature": 0.7}))
    await operator.settle(key(namespace))
    ledger, log = await azure.mark(), audit.mark()
    again = await operator.look(key(namespace))
    await operator.look(key(namespace))
    restarted = Operator(operator.world, hand)
    await restarted.look(key(namespace))
    clock.ahead = 2 * operator.world.installation.resync
    await restarted.look(key(namespace))
    assert (again.failed, again.fault) == (False, None)
    assert audit.since(log)
    assert await azure.ledger(ledger)
    assert not await azure.writes(ledger)
    assert not audit.writes(log)


async def test_retain_keeps_identity_and_credential_and_takes_the_access(
    operator, hand, azure, namespace
):
    await hand.create(chatbot(namespace, deletionPolicy="Retain"))
    await operator.settle(key(namespace))
    before = await azure.identity(namespace)
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    kept = await azure.identity(namespace)
    assert kept["tags"] == {**before["tags"], "chatbot-operator-retained": "true"}
    assert kept["credentials"] == before["credentials"]
    assert await azure.assignments(kept["principal_id"]) == []
    assert await hand.children(namespace) == {}


async def test_a_suspended_chatbot_is_left_as_it_is_until_it_goes(
    *, operator, hand, azure, audit, namespace, clock
):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    await hand.edit(CHATBOTS, namespace, {"spec": {"suspend": True}})
    await operator.settle(key(namespace))
    ledger, log = await azure.mark(), audit.mark()
    await hand.edit(
        DEPLOYMENTS, namespace, {"metadata": {"labels": {"app.kubernetes.io/name": "x"}}}
    )
    await azure.done("DELETE", f"{ASSIGNMENTS}/{(await azure.described(namespace))[0]['name']}")
    ledger, clock.ahead = await azure.mark(), 2 * operator.world.installation.resync
    await operator.settle(key(namespace))
    assert not await azure.writes(ledger)
    assert not audit.writes(log)
    conditions = await hand.conditions(namespace)
    assert conditions["Ready"]["reason"] == "Suspended"
    clock.ahead = 0  # a deletion that is hours old waits for no object
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await azure.identities(namespace) == []
    assert await hand.children(namespace) == {}


async def test_a_chatbot_suspended_from_the_start_has_nothing(operator, hand, azure, namespace):
    await hand.create(chatbot(namespace, suspend=True))
    await operator.settle(key(namespace))
    assert await azure.identities(namespace) == []
    assert await hand.children(namespace) == {}
    await hand.edit(CHATBOTS, namespace, {"spec": {"suspend": False}})
    await operator.settle(key(namespace))
    assert (await hand.conditions(namespace))["Ready"]["status"] == "True"


async def test_a_prompt_arrives_byte_for_byte(operator, hand, namespace):
    prompt = "Du bist 🤖👩‍🚀.\n\tAntworte auf 日本語; $(HOST) bleibt.\n\n"
    await hand.create(
        chatbot(namespace, chat={"systemPrompt": prompt, "title": "Grüße 👋 $(HOST)"})
    )
    await operator.settle(key(namespace))
    data = (await hand.get(CONFIG_MAPS, namespace))["data"]
    assert data["system-prompt"].encode() == prompt.encode()
    (container,) = (await hand.get(DEPLOYMENTS, namespace))["spec"]["template"]["spec"][
        "containers"
    ]
    title = next(e["value"] for e in container["env"] if e["name"] == "CHAT_TITLE")
    assert title == "Grüße 👋 $$(HOST)"


async def test_chatbots_whose_joined_names_are_equal_have_identities_of_their_own(
    operator, hand, azure, kubectl, namespace
):
    kubectl("create", "namespace", f"{namespace}-a")
    await hand.create(chatbot(namespace, "a-b"))
    await hand.create(chatbot(f"{namespace}-a", "b"))
    await operator.settle(key(namespace, "a-b"))
    await operator.settle(key(f"{namespace}-a", "b"))
    found = await azure.identities(namespace)
    assert len(found) == 2
    assert {i["tags"]["chatbot-operator-name"] for i in found} == {"a-b", "b"}
    assert len({i["principal_id"] for i in found}) == 2


async def test_the_longest_names_work(operator, hand, azure, kubectl):
    namespace, name = f"n{'0' * 61}1", "b" * 63
    kubectl("create", "namespace", namespace)
    await hand.create(chatbot(namespace, name))
    await operator.settle(key(namespace, name))
    (identity,) = await azure.identities(namespace)
    assert len(identity["name"]) <= 128
    await hand.delete(CHATBOTS, namespace, name)
    await operator.settle(key(namespace, name))
    assert await azure.identities(namespace) == []


async def test_a_chatbot_that_was_never_looked_at_goes_at_once(operator, hand, azure, namespace):
    await hand.create(chatbot(namespace))
    before = await azure.mark()
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    assert await hand.get(CHATBOTS, namespace) is None
    assert not await azure.writes(before)


async def test_a_finalizer_of_somebody_else_survives_ours(operator, hand, namespace):
    body = chatbot(namespace)
    body["metadata"]["finalizers"] = ["example.com/theirs"]
    await hand.create(body)
    await operator.settle(key(namespace))
    live = await hand.get(CHATBOTS, namespace)
    assert live["metadata"]["finalizers"] == ["example.com/theirs", FINALIZER]
    await hand.delete(CHATBOTS, namespace)
    await operator.settle(key(namespace))
    live = await hand.get(CHATBOTS, namespace)
    assert live["metadata"]["finalizers"] == ["example.com/theirs"]
    await hand.edit(CHATBOTS, namespace, {"metadata": {"finalizers": []}})


async def test_the_identity_is_where_its_name_says(operator, hand, azure, namespace, standing):
    await hand.create(chatbot(namespace))
    await operator.settle(key(namespace))
    live = await hand.get(CHATBOTS, namespace)
    where = identity_path(operator.world.installation, namespace)
    assert live["status"]["identity"]["id"] == where
    (credential,) = (await azure.identity(namespace))["credentials"]
    assert credential["name"] == naming.credential_name(operator.world.installation.issuer)
