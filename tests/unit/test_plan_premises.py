"""What a plan rests on, and what is said where it had to be assumed."""

from __future__ import annotations

import base64
import json

import pytest
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.plan.premises import Hints, hints, premises
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.ports import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, SERVICE_ACCOUNTS
from unit.bodies import IDENTITY, chatbot_body

GIVEN = {"CHATBOT_IMAGE": "chatbot:1", "AZURE_TENANT_ID": "t", "IDENTITY_RESOURCE_GROUP": "g"}
ENVIRONMENT = {**GIVEN, "AZURE_CLIENT_ID": "c", "AZURE_FEDERATED_TOKEN_FILE": "/token"}


class Small:
    """A cluster with some operators; `closed` are kinds, or `issuer` and `token`, nobody may read."""

    def __init__(self, *operators, closed=(), objects=None, may_write=()) -> None:
        self.operators, self.closed, self.objects = operators, closed, objects or {}
        self.may_write = may_write

    async def select(self, resource, namespace, labels):
        self._check(resource.plural)
        assert labels
        found = self.operators if resource == DEPLOYMENTS else []
        return [each for each in found if namespace in {"", each["metadata"]["namespace"]}]

    async def get(self, resource, namespace, name):
        self._check(resource.plural)
        if resource == NAMESPACES:
            assert (namespace, name) == ("", "kube-system")
            return {"metadata": {"uid": "uid-of-kube-system"}}
        return self.objects.get(resource)

    async def issuer(self):
        self._check("issuer")
        return "https://issuer/"

    async def token(self, namespace, name, *, audience, seconds):
        self._check("token")
        assert (namespace, name, audience, seconds) == ("team", "default", "nobody", 600)
        claims = base64.urlsafe_b64encode(json.dumps({"iss": "https://token/"}).encode()).decode()
        return f"x.{claims.rstrip('=')}.y"

    async def create(self, resource, review):
        self._check(resource.plural)
        asked = review["spec"]["resourceAttributes"]
        assert (asked["resource"], asked["subresource"]) == ("azureopenaiaccounts", "status")
        return {"status": {"allowed": review["spec"]["user"].split(":")[2] in self.may_write}}

    def _check(self, what):
        if what in self.closed:
            raise KubernetesRefusal(what, 403, "Forbidden", "")


def operator(namespace="operators", *, ready=1, **environment):
    env = [{"name": k, "value": v} for k, v in {**ENVIRONMENT, **environment}.items()]
    return {
        "metadata": {"namespace": namespace},
        "spec": {"template": {"spec": {"containers": [{"name": "operator", "env": env}]}}},
        "status": {"readyReplicas": ready},
    }


async def found(cluster, *, told=Hints(), narrowed="", given=None, tagged=""):  # noqa: B008
    async def owner():
        return tagged

    return await premises(
        cluster, told, namespaces={"team"}, operator=narrowed, given=given or {}, owner=owner
    )


async def test_the_operator_that_is_there_says_it_all():
    got = await found(Small(operator(AZURE_MANAGE="Nothing")))
    assert got.assumed == ()
    assert got.operator.namespace == "operators"
    whole = got.installation
    assert (whole.cluster, whole.issuer) == ("uid-of-kube-system", "https://issuer/")
    assert (whole.image, whole.manage) == ("chatbot:1", "Nothing")


async def test_of_several_the_one_that_watches_the_namespace():
    mine, other = operator("a", WATCH_NAMESPACES="team"), operator("b", WATCH_NAMESPACES="x")
    assert (await found(Small(other, mine))).operator.namespace == "a"
    with pytest.raises(UnansweredError, match=r"in a, c\. Choose one with --operator-namespace"):
        await found(Small(mine, operator("c")))
    assert (await found(Small(mine, operator("c")), narrowed="c")).operator.namespace == "c"


async def test_what_only_bears_the_label_is_no_operator_beside_one():
    mine, like_one = operator("b"), operator("a", WORKERS="many")
    assert (await found(Small(like_one, mine, may_write=["b"]))).operator.namespace == "b"
    unasked = Small(like_one, mine, closed=["subjectaccessreviews"], may_write=["b"])
    with pytest.raises(UnansweredError, match="Several operators are there, in a, b"):
        await found(unasked)


async def test_settings_that_are_wrong_are_said():
    with pytest.raises(UnansweredError, match="cannot run with its settings: WORKERS"):
        await found(Small(operator(WORKERS="many")))
    with pytest.raises(UnansweredError, match="--settings: WORKERS"):
        await found(Small(), given={"WORKERS": "many"})


async def test_an_operator_without_a_pod_does_nothing_yet():
    (said,) = (await found(Small(operator(ready=0)))).assumed
    assert said.startswith("No pod of the operator in namespace operators is ready")


async def test_an_operator_whose_pods_alone_know_the_tenant_and_has_none():
    stopped = operator(ready=0)
    env = stopped["spec"]["template"]["spec"]["containers"][0]["env"]
    env[:] = [each for each in env if not each["name"].startswith("AZURE_")]
    with pytest.raises(UnansweredError, match="has no pod: nothing would happen"):
        await found(Small(stopped))


async def test_what_is_given_is_gone_by_and_nothing_is_looked_for():
    got = await found(Small(closed=["deployments"]), given=GIVEN)
    assert got.assumed == ()
    assert got.installation.identity_resource_group == "g"


@pytest.mark.parametrize(
    ("closed", "tagged", "cluster", "said"),
    [
        ((), "", "uid-of-kube-system", ""),
        (("namespaces",), "tagged", "tagged", ""),
        (("namespaces",), "", "(unknown: OWNER_ID)", "--settings OWNER_ID=UID"),
    ],
)
async def test_whose_the_cluster_is(closed, tagged, cluster, said):
    got = await found(Small(closed=closed), given=GIVEN, tagged=tagged)
    assert got.installation.cluster == cluster
    assert said in " ".join(got.assumed)


@pytest.mark.parametrize(
    ("closed", "told", "issuer"),
    [
        (("issuer",), Hints(issuer="https://recorded/"), "https://recorded/"),
        (("issuer",), Hints(), "https://token/"),
        (("issuer", "token"), Hints(), "(unknown: issuer)"),
    ],
)
async def test_who_issues_tokens(closed, told, issuer):
    got = await found(Small(closed=closed), told=told, given=GIVEN)
    assert got.installation.issuer == issuer
    assert bool(got.assumed) is ("token" in closed)


@pytest.mark.parametrize("closed", [(), ("deployments",)])
async def test_without_an_operator_its_chatbots_tell_of_it(closed):
    told = Hints(image="chatbot:7", tenant_id="t", resource_group="ids")
    got = await found(Small(closed=closed), told=told)
    whole = got.installation
    assert (whole.image, whole.tenant_id) == ("chatbot:7", "t")
    assert whole.identity_resource_group == "ids"
    assert "CHATBOT_IMAGE of the operator is taken for chatbot:7" in " ".join(got.assumed)
    assert "--settings NAME=VALUE" in got.assumed[0]


async def test_chatbots_tell_of_image_issuer_tenant_group_and_authorities():
    body = chatbot_body()
    body["status"] = {
        "identity": {"id": IDENTITY_ID},
        "resolved": {"image": "chatbot:7", "issuer": "https://recorded/"},
    }
    annotations = {"azure.workload.identity/tenant-id": IDENTITY.tenant_id}
    objects = {
        SERVICE_ACCOUNTS: {"metadata": {"annotations": annotations}},
        CONFIG_MAPS: {"metadata": {}, "data": {"extra-ca.crt": "PEM"}},
    }
    told = await hints(Small(objects=objects), [body])
    assert told == Hints("chatbot:7", "https://recorded/", IDENTITY.tenant_id, "ids", "PEM")
    closed = await hints(Small(closed=["serviceaccounts", "configmaps"]), [body])
    assert (closed.tenant_id, closed.authorities) == ("", "")


IDENTITY_ID = (
    "/subscriptions/8f0c1c57-4b3b-4a63-9d5c-0d6b5d7f2a11/resourceGroups/ids"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/cb-team-support"
)
