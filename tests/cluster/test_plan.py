"""What is planned is what the operator then writes, and planning writes nothing."""

from __future__ import annotations

import asyncio
import json

import existing_identities
import pytest
from chatbot_operator.cli import reach as cli_reach
from chatbot_operator.cli.command import Code, UnansweredError
from chatbot_operator.cli.plan.told import Access
from chatbot_operator.cli.plan.writes import Side
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, SERVICES
from chatbot_operator.steps.lag import LAG_SECONDS
from cluster_world import account, chatbot, key
from planned import SETTINGS, Planner, of, same, told, witness
from sandbox.azure import settings as fixed

PROMPT = "Speak of nothing but cheese, and mention the zebra."


@pytest.fixture
def environment(emulator, authority, standing):
    """A pod's environment with the webhook's variables: whoever plans has an identity."""
    return {
        "AZURE_FEDERATED_TOKEN_FILE": str(standing.token_file),
        "AZURE_CLIENT_ID": standing.client_id,
        "AZURE_TENANT_ID": fixed.TENANT,
        "AZURE_AUTHORITY_HOST": emulator.url,
        "ARM_ENDPOINT": emulator.url,
        "ARM_SCOPE": f"{fixed.ARM_AUDIENCE}/.default",
        "EXTRA_CA_FILE": str(authority.bundle),
    }


@pytest.fixture
async def person(*, control_plane, environment, monkeypatch, clock, namespace, tmp_path):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    asked = cli_reach.Asked(kubeconfig=str(control_plane.kubeconfig), namespace=namespace)
    async with cli_reach.Reach(asked, environment, clock) as reach:
        yield Planner(reach, tmp_path / "manifest.yaml")


NEW = {
    "two pods and a prompt": {"replicas": 2, "chat": {"systemPrompt": PROMPT}},
    "autoscaled behind an ingress": {
        "autoscaling": {"minReplicas": 2, "maxReplicas": 4},
        "ingress": {"host": "chat.example.com"},
        "networkPolicy": {"enabled": False},
    },
}


@pytest.mark.parametrize("spec", NEW.values(), ids=NEW)
async def test_a_new_chatbot(*, operator, person, kubectl, audit, azure, namespace, spec):
    seen = await witness(audit, azure)
    made = await person.plan(chatbot(namespace, **spec))
    assert made.code is Code.FOUND
    await asyncio.sleep(0.3)  # the audit log lags behind
    asked = audit.writes(seen.log, user="admin")
    assert {e["objectRef"]["resource"] for e in asked} >= {"azureopenaichatbots", "deployments"}
    assert all("dryRun=All" in e["requestURI"] for e in asked)
    assert not await seen.in_azure()
    kubectl("apply", "-f", "-", body=chatbot(namespace, **spec))
    seen = await witness(audit, azure)
    await operator.settle(key(namespace))
    await same(made, seen, namespace)
    again = await person.plan(chatbot(namespace, **spec))
    assert again.code is Code.FINE, again.document()


async def test_a_changed_chatbot(*, operator, person, kubectl, audit, azure, namespace):
    first = {"chat": {"systemPrompt": "Be kind."}, "replicas": 2}
    kubectl("apply", "-f", "-", body=chatbot(namespace, **first))
    await operator.settle(key(namespace))
    changed = {
        "chat": {"systemPrompt": PROMPT},
        "replicas": 2,
        "openAI": {"temperature": 0.5},
        "autoscaling": {"minReplicas": 2, "maxReplicas": 4},
        "networkPolicy": {"enabled": False},
    }
    made = await person.plan(chatbot(namespace, **changed))
    kubectl("apply", "-f", "-", body=chatbot(namespace, **changed))
    seen = await witness(audit, azure)
    await operator.settle(key(namespace))
    await same(made, seen, namespace)
    found = of(made, f"{namespace}/support")
    by_path = {d.path: d for write in found.writes for d in write.differences}
    heat = by_path["spec.template.spec.containers[chatbot].env[TEMPERATURE].value"]
    assert (heat.before, heat.after) == (None, "0.5")
    assert "spec.replicas" not in by_path, "the autoscaler begins where the operator leaves"
    (told_to_it,) = [d for d in found.manifest.differences if d.path == "spec.chat.systemPrompt"]
    assert told_to_it.characters == len(PROMPT) - len(".")
    assert "zebra" not in json.dumps(made.document())
    assert "Be kind" not in json.dumps(made.document())
    assert (await person.plan(names=["support"])).code is Code.FINE


async def test_what_the_manifest_no_longer_says_goes(*, operator, person, kubectl, namespace):
    kubectl("apply", "-f", "-", body=chatbot(namespace, replicas=2))
    await operator.settle(key(namespace))
    found = of(await person.plan(chatbot(namespace)), f"{namespace}/support")
    changed = {d.path: (d.before, d.after) for d in found.manifest.differences}
    assert changed == {"spec.replicas": (2, 1)}
    assert ("delete", "poddisruptionbudgets", "support") in told(found.writes, Side.CLUSTER)


async def test_drift_is_planned_to_be_put_right(
    *, operator, person, hand, audit, azure, clock, settled
):
    clock.ahead += LAG_SECONDS + 1
    await hand.delete(SERVICES, settled)
    identity = await azure.identity(settled)
    where = f"{identity['id']}/federatedIdentityCredentials/{identity['credentials'][0]['name']}"
    await azure.done("DELETE", where)
    made = await person.plan(names=["support"])
    seen = await witness(audit, azure)
    operator.memory.granted[(await hand.get(CHATBOTS, settled))["metadata"]["uid"]] = None
    await operator.settle(key(settled))
    await same(made, seen, settled)
    assert {w.kind for w in of(made, f"{settled}/support").writes} >= {
        "Service",
        "federated credential",
    }


async def test_who_is_denied_is_told_so_and_nothing_is_made(
    *, operator, person, kubectl, audit, azure, namespace, offer
):
    of_others = await offer(allowedNamespaces={"names": ["others"]})
    manifest = chatbot(namespace, account=of_others)
    made = await person.plan(manifest)
    found = of(made, f"{namespace}/support")
    assert found.bar.found == "NamespaceNotAllowed"
    (command,) = [c for way in found.bar.ways for c in way.commands]
    assert command.startswith(f"kubectl patch aoai {of_others} --type=json")
    assert made.code is Code.FOUND
    kubectl("apply", "-f", "-", body=manifest)
    seen = await witness(audit, azure)
    await operator.refused(key(namespace))
    await same(made, seen, namespace)


async def test_an_account_that_stops_allowing_tells_who_loses_access(
    *, operator, person, hand, kubectl, clock, audit, azure, working
):
    manifest = account(working, allowedNamespaces={"names": ["others"]})
    live = await hand.get(ACCOUNTS, "", working)
    kubectl("apply", "-f", "-", body=account(working))
    made = await person.plan(manifest)
    found = of(made, f"{working}/support")
    assert found.access is Access.LOST
    assert found.bar.found == "NamespaceNotAllowed"
    assert await hand.get(ACCOUNTS, "", working) is not None
    assert (await hand.get(ACCOUNTS, "", working))["spec"] == live["spec"]
    kubectl("apply", "-f", "-", body=manifest)
    seen = await witness(audit, azure)
    again = await operator.look(key(working))
    within = of(await person.plan(names=["support"]), f"{working}/support")
    assert within.writes == found.writes
    clock.ahead += again.seconds + 1
    await operator.look(key(working))
    await operator.look(key(working))
    await same(made, seen, working)
    withdrawn = await person.plan(names=["support"])
    assert not of(withdrawn, f"{working}/support").writes


async def test_a_prompt_that_changes_concerns_whoever_it_is_for(
    *, operator, person, kubectl, namespace
):
    prompt = {"metadata": {"name": "tone", "namespace": namespace}, "data": {"text": "Be kind."}}
    prompt |= {"apiVersion": "v1", "kind": "ConfigMap"}
    source = {"systemPromptFrom": {"configMapKeyRef": {"name": "tone", "key": "text"}}}
    kubectl("apply", "-f", "-", body=prompt)
    kubectl("apply", "-f", "-", body=chatbot(namespace, chat=source))
    await operator.settle(key(namespace))
    made = await person.plan({**prompt, "data": {"text": PROMPT}})
    written = told(of(made, f"{namespace}/support").writes, Side.CLUSTER)
    assert written == [
        ("change", "configmaps", "support"),
        ("change", "deployments", "support"),
    ]
    assert "zebra" not in json.dumps(made.document())


async def test_an_account_that_is_deleted_takes_access_along(person, working):
    made = await person.plan(deleted=[f"aoai/{working}"])
    found = of(made, f"{working}/support")
    assert (found.access, found.bar.found) == (Access.LOST, "AccountNotFound")


async def test_the_brake_is_foreseen(*, operator, person, hand, kubectl, namespace, offer):
    name = await offer()
    kubectl("apply", "-f", "-", body=account(name))
    names = [f"s{number}" for number in range(6)]
    for each in names:
        await hand.create(chatbot(namespace, each, account=name))
    await asyncio.gather(*(operator.settle(key(namespace, each)) for each in names))
    made = await person.plan(account(name, allowedNamespaces={"names": ["others"]}))
    access = {each.name: each.access for each in made.outlooks if "/" in each.name}
    assert access == {f"{namespace}/{each}": Access.HELD for each in names}
    assert not any(each.writes for each in made.outlooks)
    (command,) = made.confirmations
    assert command.startswith(f"kubectl annotate chatbot -n {namespace} s0 s1 s2 s3 s4 s5 ")


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
async def test_a_deletion(*, operator, person, hand, audit, azure, namespace, policy):
    await hand.create(chatbot(namespace, deletionPolicy=policy, replicas=2))
    await operator.settle(key(namespace))
    made = await person.plan(deleted=["support"])
    assert await hand.get(CHATBOTS, namespace)
    await hand.delete(CHATBOTS, namespace)
    seen = await witness(audit, azure)
    await operator.settle(key(namespace))
    await same(made, seen, namespace)
    cluster = told(of(made, f"{namespace}/support").writes, Side.CLUSTER)
    assert cluster[-1] == ("change", "azureopenaichatbots", "support")


async def test_an_identity_of_others_gets_a_credential_and_the_role_is_for_its_owners(
    *, operator, person, kubectl, audit, azure, namespace, offer
):
    theirs = await existing_identities.make(azure, role=False)
    name = await offer(identity={"existing": [theirs.listed]})
    manifest = chatbot(namespace, account=name, identity={"existing": theirs.name})
    made = await person.plan(manifest)
    (by_hand,) = [w for w in of(made, f"{namespace}/support").writes if w.command]
    assert by_hand.command.startswith("az role assignment create --assignee-object-id")
    assert theirs.principal_id in by_hand.command
    await existing_identities.assign(theirs)
    kubectl("apply", "-f", "-", body=manifest)
    seen = await witness(audit, azure)
    await operator.settle(key(namespace))
    await same(made, seen, namespace)


async def test_a_namespace_that_the_operator_does_not_watch_gets_nothing(person, namespace):
    made = await person.plan(chatbot(namespace), settings=(*SETTINGS, "WATCH_NAMESPACES=elsewhere"))
    found = of(made, f"{namespace}/support")
    assert (found.bar.found, found.writes) == ("NotWatched", ())
    assert made.code is Code.FOUND


REFUSED = {
    "a typing error": ({"replicaz": 2}, 'unknown field "spec.replicaz"'),
    "a rule of the schema": (
        {
            "autoscaling": {"minReplicas": 1, "maxReplicas": 2},
            "pods": {"resources": {"limits": {"memory": "1Gi"}}},
        },
        "give pods.resources.requests.cpu",
    ),
}


@pytest.mark.parametrize(("spec", "said"), REFUSED.values(), ids=REFUSED)
async def test_what_the_api_server_would_refuse_is_said_in_its_words(
    *, installed, person, namespace, spec, said
):
    with pytest.raises(UnansweredError, match="would be refused: ") as raised:
        await person.plan(chatbot(namespace, **spec))
    assert said in str(raised.value)


async def test_a_typing_error_in_a_change_is_said_too(person, settled):
    with pytest.raises(UnansweredError, match=r"would be refused: .*replicaz"):
        await person.plan(chatbot(settled, replicaz=2))


async def test_a_namespace_that_is_not_there_is_to_be_made_first(installed, person):
    with pytest.raises(UnansweredError, match="Create the namespace first"):
        await person.plan(chatbot("nowhere"))
