"""A world that keeps what is written to itself, over a small one that must not change."""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import replace

import pytest
from chatbot_operator import ports
from chatbot_operator.chatbot import FINALIZER, Chatbot
from chatbot_operator.cli.plan.azure import AzureShelf, RehearsedAzure, is_unmade
from chatbot_operator.cli.plan.azure_reads import AsAllowed, Remembered
from chatbot_operator.cli.plan.cluster import ClusterShelf, RehearsedCluster
from chatbot_operator.cli.plan.record import Record
from chatbot_operator.cli.plan.rehearsal import Clock, Rehearsal
from chatbot_operator.cli.plan.shown import TO_DELETE
from chatbot_operator.cli.plan.told import Access, outlook
from chatbot_operator.cli.plan.writes import Side, Verb
from chatbot_operator.cli.why.remedies import Known
from chatbot_operator.errors import KubernetesRefusal, Refusal, Service
from chatbot_operator.naming import assignment_name, role_definition_id
from chatbot_operator.ports import Assignment, Credential, Manage
from chatbot_operator.reconcile import Key
from chatbot_operator.steps.identity import owner
from unit.bodies import ACCOUNT_ID, IDENTITY, INSTALLATION, account, account_body, chatbot_body
from unit.small_world import NOON, SmallAzure

KNOWN = Known(lambda *words: " ".join(("kubectl", *words)))
KEY = Key(ports.CHATBOTS, "team", "support")
RECORDED = (
    "/subscriptions/8f0c1c57-4b3b-4a63-9d5c-0d6b5d7f2a11/resourceGroups/ai"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/cb-team-support"
)
CREDENTIAL = Credential("cb-x", "https://issuer/", "system:serviceaccount:team:support", ("a",))


class Reading:
    """A cluster of which an apply makes what the manifest says, and which is never written to."""

    def __init__(self, *bodies, refuses=(), status=403) -> None:
        self.status = status
        self.objects = {_place(resource, body): body for resource, body in bodies}
        self.before = copy.deepcopy(self.objects)
        self.refuses = refuses

    async def get(self, resource, namespace, name):
        self._check("get", resource)
        return copy.deepcopy(self.objects.get((resource.plural, namespace, name)))

    async def select(self, resource, namespace, labels):
        del namespace, labels
        self._check("list", resource)
        return [body for (plural, *_), body in self.objects.items() if plural == resource.plural]

    async def apply(self, resource, manifest, *, onto, manager="chatbot-operator"):
        del manager
        self._check("patch", resource)
        live = self.objects.get(_place(resource, manifest))
        assert onto == (live and live["metadata"]["uid"])
        return copy.deepcopy({**manifest, "metadata": {"uid": "dry", **manifest["metadata"]}})

    def _check(self, verb, resource):
        if (verb, resource) in self.refuses:
            raise KubernetesRefusal(verb, self.status, "", "")


def _place(resource, body):
    return resource.plural, body["metadata"].get("namespace", ""), body["metadata"]["name"]


def config_map(**data):
    metadata = {"namespace": "team", "name": "support", "uid": "u", "resourceVersion": "1"}
    return {"metadata": metadata, "data": data}


def granted_status():
    return {
        "selector": "a=b",
        "identity": {"id": RECORDED, "principalId": "p", "clientId": "c"},
        "resolved": {"accountId": ACCOUNT_ID, "issuer": INSTALLATION.issuer},
        "grantedAt": {"role": "2026-01-31T11:00:00Z", "credential": "2026-01-31T11:00:00Z"},
    }


def cluster(*bodies, refuses=()):
    return RehearsedCluster(Reading(*bodies, refuses=refuses), ClusterShelf(), Record())


async def test_what_was_applied_is_what_is_read():
    there = cluster()
    manifest = {"metadata": {"namespace": "team", "name": "support"}, "data": {"a": "1"}}
    await there.apply(ports.CONFIG_MAPS, manifest, onto=None)
    live = await there.get(ports.CONFIG_MAPS, "team", "support")
    assert live["data"] == {"a": "1"}
    await there.apply(ports.CONFIG_MAPS, {**manifest, "data": {"a": "2"}}, onto="dry")
    await there.delete(ports.CONFIG_MAPS, "team", "support", uid="dry")
    assert await there.get(ports.CONFIG_MAPS, "team", "support") is None
    assert [w.verb for w in there.record.writes] == [Verb.CREATE, Verb.CHANGE, Verb.DELETE]
    assert there.reads.objects == {}


async def test_an_apply_that_changes_nothing_is_no_write_and_one_onto_another_conflicts():
    there = cluster((ports.CONFIG_MAPS, config_map(a="1")))
    same = {**config_map(a="1")}
    await there.apply(ports.CONFIG_MAPS, same, onto="u")
    assert there.record.writes == []
    with pytest.raises(KubernetesRefusal) as raised:
        await there.apply(ports.CONFIG_MAPS, same, onto="another")
    assert raised.value.status == 409


async def test_what_was_looked_at_and_left_is_told_apart_from_what_was_written():
    there = cluster(
        (ports.CONFIG_MAPS, config_map()), (ports.SERVICES, {**config_map(), "spec": {}})
    )
    await there.get(ports.CONFIG_MAPS, "team", "support")
    await there.get(ports.SERVICES, "team", "support")
    await there.delete(ports.SERVICES, "team", "support", uid="u")
    assert [(w.verb, w.kind) for w in there.record.untouched()] == [(Verb.LEAVE, "ConfigMap")]


async def test_what_may_not_be_read_is_taken_as_not_there_and_said():
    there = cluster(refuses=[("get", ports.HTTP_ROUTES), ("patch", ports.CONFIG_MAPS)])
    assert await there.get(ports.HTTP_ROUTES, "team", "support") is None
    made = await there.apply(ports.CONFIG_MAPS, config_map(a="1"), onto=None)
    assert made["data"] == {"a": "1"}
    assert sorted(there.shelf.unread) == [
        "get httproutes.gateway.networking.k8s.io in namespace team",
        "patch configmaps in namespace team",
    ]


async def test_a_deployment_is_rolled_out_and_has_pods_as_soon_as_it_is_there():
    there = cluster()
    spec = {"replicas": 2, "template": {"metadata": {}, "spec": {}}}
    manifest = {"metadata": {"namespace": "team", "name": "support"}, "spec": spec}
    live = await there.apply(ports.DEPLOYMENTS, manifest, onto=None)
    assert live["status"]["availableReplicas"] == 2
    labels = {"app.kubernetes.io/instance": "support"}
    assert len(await there.select(ports.PODS, "team", labels)) == 1
    empty = [{"op": "replace", "path": "/spec/replicas", "value": 0}]
    await there.patch(ports.DEPLOYMENTS, "team", "support", empty)
    assert await there.select(ports.PODS, "team", labels) == []


async def test_a_number_of_pods_that_was_handed_over_outlasts_the_next_apply():
    live = {**config_map(), "spec": {"replicas": 3, "template": {"spec": {}}}}
    there = cluster((ports.DEPLOYMENTS, live))
    await there.apply(ports.DEPLOYMENTS, live, onto="u", manager="chatbot-operator-handover")
    without = {"metadata": config_map()["metadata"], "spec": {"template": {"spec": {}}}}
    made = await there.apply(ports.DEPLOYMENTS, without, onto="u")
    assert made["spec"]["replicas"] == 3


class Refusing(SmallAzure):
    """An Azure that nobody may read."""

    async def identity(self, identity_id):
        del identity_id
        raise Refusal(
            "read identity", status=401, code="", message="az login", service=Service.ENTRA
        )

    async def credential(self, identity_id, name):
        del identity_id, name
        raise AssertionError("nobody is asked again who is not signed in")


def in_azure(real=None):
    reads = AsAllowed(real or SmallAzure(), Remembered())
    return RehearsedAzure(reads, AzureShelf(), Record(), "tenant")


async def test_an_identity_that_was_made_has_ids_that_only_stand_for_some():
    azure = in_azure()
    made, _ = await azure.put_identity(IDENTITY.id, location="eastus", tags={"a": "b"})
    assert is_unmade(made.principal_id)
    assert await azure.identity(IDENTITY.id) == made
    assert await azure.credentials(IDENTITY.id) == []
    await azure.put_credential(IDENTITY.id, CREDENTIAL)
    assert await azure.credential(IDENTITY.id.upper(), "cb-x") == CREDENTIAL
    await azure.delete_identity(IDENTITY.id)
    assert await azure.identity(IDENTITY.id) is None
    assert [(w.verb, w.kind) for w in azure.record.writes] == [
        (Verb.CREATE, "managed identity"),
        (Verb.CREATE, "federated credential"),
        (Verb.DELETE, "managed identity"),
    ]


async def test_assignments_that_were_made_or_deleted_are_on_the_lists():
    azure = in_azure()
    one = Assignment("name", ACCOUNT_ID, "(principal", "role", "described")
    await azure.put_assignment(one)
    assert await azure.assignments(ACCOUNT_ID, "(principal") == [one]
    assert await azure.assignments(ACCOUNT_ID, "(another") == []
    await azure.delete_assignment(ACCOUNT_ID, "name")
    assert await azure.assignments(ACCOUNT_ID, "(principal") == []


async def test_where_nobody_is_signed_in_statuses_are_believed_and_azure_is_asked_once():
    remembered = Remembered()
    body = chatbot_body()
    body["status"] = granted_status()
    remembered.of_chatbot(Chatbot.parse(body), account(), INSTALLATION)
    reads = AsAllowed(Refusing(), remembered)
    assert (await reads.identity(RECORDED)).principal_id == "p"
    (held,) = await reads.credentials(RECORDED)
    assert await reads.credential(RECORDED, held.name) == held
    assert len(await reads.assignments(ACCOUNT_ID, "p")) == 1
    assert reads.unread == {"read identity": "az login"}


def small(*, manage=Manage.ALL, account_spec=None, chatbot_spec=None, real=None):
    """A rehearsal over a cluster with one chatbot and its account."""
    allowed = {"allowedNamespaces": {"all": True}, "identity": {"resourceGroup": "ai"}}
    reading = Reading(
        (ports.CHATBOTS, chatbot_body(**(chatbot_spec or {}))),
        (ports.ACCOUNTS, account_body(**{**allowed, **(account_spec or {})})),
        (ports.NAMESPACES, {"metadata": {"name": "team"}}),
    )
    azure = AsAllowed(real or SmallAzure(), Remembered())
    whole = replace(INSTALLATION, manage=manage)
    return Rehearsal(reading, azure, whole, Clock(NOON), KNOWN.kubectl)


async def rehearsed(**how):
    rehearsal = small(**how)
    (part,) = await rehearsal.run([KEY])
    assert rehearsal.cluster.objects == rehearsal.cluster.before
    return rehearsal, part


async def test_a_chatbot_comes_to_rest_and_nothing_was_written():
    real = SmallAzure()
    _, part = await rehearsed(real=real, chatbot_spec={"replicas": 2})
    assert (part.rests, part.fault) == (True, None)
    assert not [each for each in real.asked if "put" in each or "delete" in each]
    said = outlook(part, None, KNOWN)
    assert said.access is Access.KEPT
    assert said.bar is None
    assert {w.kind for w in said.writes if w.side is Side.AZURE} == {
        "managed identity",
        "federated credential",
        "role assignment",
    }
    assert said.writes[-1].differences[0].path == "spec.replicas"


async def test_what_the_operator_may_not_write_is_rehearsed_as_if_somebody_had():
    _, part = await rehearsed(manage=Manage.NOTHING)
    assert part.rests
    commands = [w.command for w in part.record.writes if w.side is Side.AZURE]
    assert [each.split()[:4] for each in commands] == [
        ["az", "identity", "create", "--name"],
        ["az", "role", "assignment", "create"],
        ["az", "identity", "federated-credential", "create"],
    ]
    assert '"$(az identity show --ids ' in commands[1]
    _, part = await rehearsed(manage=Manage.FEDERATION_ONLY)
    assert [bool(w.command) for w in part.record.writes if w.side is Side.AZURE] == [
        False,
        False,
        True,
    ]


async def test_what_needs_a_person_ends_the_rehearsal_and_is_told():
    _, part = await rehearsed(account_spec={"identity": {}})
    said = outlook(part, None, KNOWN)
    assert said.bar.found == "IdentityResourceGroupMissing"
    assert [w.kind for w in said.writes] == ["AzureOpenAIChatbot"]


async def test_an_account_that_nobody_has_looked_at_is_looked_at():
    real = SmallAzure()
    rehearsal = small(real=real)
    rehearsal.cluster.objects["azureopenaiaccounts", "", "contoso"]["status"] = {}
    (part,) = await rehearsal.run([KEY])
    assert "account" in real.asked
    assert outlook(part, None, KNOWN).bar.found == "AccountNotUsable"


async def test_how_often_the_operator_looks_again_does_not_matter():
    rehearsal = small()
    rehearsal.installation = replace(INSTALLATION, proof_recheck=1.0, resync=5.0)
    (part,) = await rehearsal.run([KEY])
    assert (part.rests, outlook(part, None, KNOWN).bar) == (True, None)


async def test_what_is_on_its_way_is_waited_for_and_not_for_ever():
    rehearsal = small()
    child = {"namespace": "team", "name": "support", "uid": "u", "deletionTimestamp": "2026-01-31"}
    ours = {"controller": True, "uid": chatbot_body()["metadata"]["uid"]}
    leaving = {"metadata": {**child, "ownerReferences": [ours]}}
    rehearsal.cluster.objects["serviceaccounts", "team", "support"] = leaving
    (part,) = await rehearsal.run([KEY])
    bar = outlook(part, None, KNOWN).bar
    assert (bar.found, bar.mark) == ("ChildLeaving", "waiting")


@pytest.mark.parametrize("resync", [5.0, 3600.0])
async def test_a_withdrawal_is_rehearsed_through_its_grace(resync):
    real = SmallAzure()
    body = chatbot_body()
    body["status"] = granted_status()
    rehearsal = small(real=real, account_spec={"allowedNamespaces": {"names": ["others"]}})
    rehearsal.installation = replace(INSTALLATION, resync=resync)
    rehearsal.cluster.objects["azureopenaichatbots", "team", "support"] = body
    mine = owner(Chatbot.parse(body), INSTALLATION)
    real.held[RECORDED] = replace(IDENTITY, id=RECORDED, principal_id="p", tags=mine.tags)
    name = assignment_name(ACCOUNT_ID, "p")
    role = role_definition_id(ACCOUNT_ID)
    real.assigned[ACCOUNT_ID, name] = Assignment(name, ACCOUNT_ID, "p", role, mine.description)
    (part,) = await rehearsal.run([KEY])
    said = outlook(part, None, KNOWN)
    assert (part.rests, said.access) == (True, Access.LOST)
    assert [(w.verb, w.kind) for w in said.writes if w.side is Side.AZURE] == [
        (Verb.DELETE, "role assignment")
    ]
    assert rehearsal.clock() - NOON >= dt.timedelta(seconds=INSTALLATION.withdrawal_grace)


async def test_a_cluster_that_does_not_answer_is_no_end_of_a_plan():
    rehearsal = small()
    rehearsal.cluster.refuses = [("get", ports.DEPLOYMENTS)]
    rehearsal.cluster.status = 0
    (part,) = await rehearsal.run([KEY])
    bar = outlook(part, None, KNOWN).bar
    assert (bar.found, bar.mark) == ("ClusterUnavailable", "unknown")


class SignedOut(Refusing):
    """An Azure of which nothing is told to anybody."""

    async def account(self, account_id):
        del account_id
        raise Refusal("read account", status=401, code="", message="", service=Service.ENTRA)


async def test_an_account_that_may_not_be_read_is_as_it_was_found():
    remembered = Remembered()
    remembered.of_account(account())
    found = await AsAllowed(SignedOut(), remembered).account(ACCOUNT_ID)
    assert (found.endpoint, found.location) == (
        "https://contoso.openai.azure.com/",
        "swedencentral",
    )
    assert [model.name for model in found.models] == ["gpt-4o", "mini"]


async def test_an_identity_of_others_that_may_not_be_read_is_taken_to_be_there():
    listed = {"existing": [{"name": "theirs", "id": RECORDED}]}
    rehearsal = small(
        real=SignedOut(),
        account_spec={"identity": listed},
        chatbot_spec={"identity": {"existing": "theirs"}},
    )
    body = rehearsal.cluster.objects["azureopenaichatbots", "team", "support"]
    of = account(**rehearsal.cluster.objects["azureopenaiaccounts", "", "contoso"]["spec"])
    rehearsal.azure._remembered.of_chatbot(Chatbot.parse(body), of, INSTALLATION)
    (part,) = await rehearsal.run([KEY])
    assert (part.rests, part.fault) == (True, None)
    credential, role = [w for w in part.record.writes if w.side is Side.AZURE]
    assert f"--ids {RECORDED} --query principalId" in role.command
    assert (credential.kind, credential.command) == ("federated credential", "")


def leaving(**how):
    """A rehearsal of the deletion of a chatbot that has all it needs, by what its status tells."""
    rehearsal = small(real=SignedOut(), **how)
    places = rehearsal.cluster.objects
    body = places["azureopenaichatbots", "team", "support"]
    body["metadata"] |= {"deletionTimestamp": "2026-01-31T12:00:00Z", "finalizers": [FINALIZER]}
    body["status"] = granted_status()
    of = account(**places["azureopenaiaccounts", "", "contoso"]["spec"])
    rehearsal.azure._remembered.of_chatbot(Chatbot.parse(body), of, INSTALLATION)
    return rehearsal


async def test_a_deletion_is_rehearsed_by_what_statuses_tell_where_nobody_is_signed_in():
    (part,) = await leaving().run([KEY])
    assert (part.rests, part.fault, part.after) == (True, None, None)
    assert [(w.side, w.verb, w.kind) for w in part.record.writes] == [
        (Side.AZURE, Verb.DELETE, "role assignment"),
        (Side.AZURE, Verb.DELETE, "managed identity"),
        (Side.CLUSTER, Verb.CHANGE, "AzureOpenAIChatbot"),
    ]


async def test_what_a_deletion_leaves_to_others_is_told_with_the_commands():
    (part,) = await leaving(manage=Manage.NOTHING).run([KEY])
    assert [w for w in part.record.writes if w.side is Side.AZURE] == []
    (said,) = outlook(part, None, KNOWN).remains
    words, _, commands = said.partition(TO_DELETE)
    assert words.startswith("What the operator did not make stays in Azure.")
    assert [each.split()[:3] for each in commands.split("; ")] == [
        ["az", "role", "assignment"],
        ["az", "identity", "delete"],
    ]
