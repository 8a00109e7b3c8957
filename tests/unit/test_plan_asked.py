"""What somebody asks about: said where it cannot be answered."""

from __future__ import annotations

import copy

import pytest
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.plan.asked import Asked, laid_over, require_kinds, settings
from chatbot_operator.cli.plan.laying import LAST_APPLIED, lay
from chatbot_operator.cli.plan.writes import Verb
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, CONFIG_MAPS, NAMESPACES
from unit.bodies import account_body, chatbot_body


class Cluster:
    """What the API server says to dry runs; `refusal` is what writes get."""

    def __init__(self, *, live=None, refusal=None, serves=True) -> None:
        self.live, self.refusal, self.known = live or {}, refusal, serves
        self.asked = []

    async def serves(self, resource):
        assert resource == CHATBOTS
        return self.known

    async def get(self, resource, namespace, name):
        return copy.deepcopy(self.live.get((resource, namespace, name)))

    async def make(self, resource, manifest):
        assert resource == CHATBOTS or self.refusal
        return self._answer("make", manifest)

    async def lay(self, resource, manifest, *, manager):
        assert resource == CHATBOTS
        return self._answer(f"lay as {manager}", manifest)

    async def merge(self, resource, namespace, name, patch):
        assert (resource, namespace, name) == (CHATBOTS, "team", "support")
        return self._answer("merge", patch)

    def _answer(self, how, body):
        self.asked.append((how, body))
        if self.refusal:
            raise self.refusal
        return body


def asked(*, names=(), deleted=()):
    return Asked(names, (), deleted, "", ())


def there(**metadata):
    body = chatbot_body()
    body["metadata"] |= metadata
    return {(CHATBOTS, "team", "support"): body, (ACCOUNTS, "", "contoso"): account_body()}


MANIFEST = {"metadata": {"namespace": "team", "name": "support"}, "spec": {"replicas": 2}}


async def test_a_chatbot_and_an_account_by_name():
    cluster = Cluster(live=there())
    found, _ = await laid_over(cluster, asked(names=["support"], deleted=["aoai/contoso"]), "team")
    assert [(key.resource, key.name, each.verb) for key, each in found.items()] == [
        (CHATBOTS, "support", Verb.LEAVE),
        (ACCOUNTS, "contoso", Verb.DELETE),
    ]


@pytest.mark.parametrize(
    ("name", "listing"),
    [("gone", "kubectl get chatbots -n team"), ("aoai/gone", "kubectl get aoai")],
)
async def test_what_is_not_there_is_said_with_how_to_list_what_is(name, listing):
    with pytest.raises(UnansweredError, match=listing):
        await laid_over(Cluster(), asked(names=[name]), "team")


@pytest.mark.parametrize("name", ["", "aoai/"])
async def test_an_empty_name_is_none(name):
    with pytest.raises(UnansweredError, match="The name is empty; `kubectl get"):
        await laid_over(Cluster(live=there()), asked(deleted=[name]), "team")


async def test_crds_that_are_missing_or_older():
    with pytest.raises(UnansweredError, match="Install the CRDs first"):
        await require_kinds(Cluster(serves=False))
    live = there()
    del live[CHATBOTS, "team", "support"]["spec"]["deletionPolicy"]
    with pytest.raises(UnansweredError, match="has no 'deletionPolicy'"):
        await laid_over(Cluster(live=live), asked(names=["support"]), "team")


def test_settings():
    assert settings(["A=b=c", "D="]) == {"A": "b=c", "D": ""}
    with pytest.raises(UnansweredError, match="takes NAME=VALUE, not A"):
        settings(["A"])


async def test_a_manifest_is_laid_as_whoever_applied_it_would():
    new = Cluster()
    assert (await lay(new, CHATBOTS, MANIFEST)).verb is Verb.CREATE
    assert new.asked[0][0] == "make"
    flux = [{"manager": "flux", "operation": "Apply", "fieldsV1": {"f:spec": {}}}]
    by_flux = Cluster(live=there(managedFields=flux))
    assert (await lay(by_flux, CHATBOTS, MANIFEST)).verb is Verb.CHANGE
    assert by_flux.asked[0][0] == "lay as flux"
    by_nobody = Cluster(live=there())
    await lay(by_nobody, CHATBOTS, MANIFEST)
    assert by_nobody.asked[0][0] == "lay as kubectl"
    last = {"annotations": {LAST_APPLIED: '{"spec": {"image": "x"}}'}}
    by_kubectl = Cluster(live=there(**last))
    await lay(by_kubectl, CHATBOTS, MANIFEST)
    assert by_kubectl.asked == [("merge", {"spec": {"image": None, "replicas": 2}})]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (422, "would be refused: words"),
        (500, "would be refused: words"),
        (403, "Not known: you may not apply AzureOpenAIChatbot team/support"),
        (404, "Create the namespace first"),
        (0, "AzureOpenAIChatbot team/support: "),
    ],
)
async def test_what_the_api_server_says_to_a_manifest(status, said):
    refusal = KubernetesRefusal("PATCH x", status, "Reason", "words")
    with pytest.raises(UnansweredError, match=said):
        await lay(Cluster(refusal=refusal), CHATBOTS, MANIFEST)


@pytest.mark.parametrize("resource", [NAMESPACES, CONFIG_MAPS])
async def test_what_only_surrounds_a_chatbot_may_be_forbidden(resource):
    refusal = KubernetesRefusal("PATCH x", 403, "Forbidden", "")
    found = await lay(Cluster(refusal=refusal), resource, MANIFEST)
    assert found.after == MANIFEST
