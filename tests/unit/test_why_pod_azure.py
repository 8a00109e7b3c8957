"""`why pod/NAME`: what is judged of the identity, its credentials, its roles and the account."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from chatbot_operator.cli.checks import Mark
from chatbot_operator.cli.pod import judging_access, judging_identity
from chatbot_operator.cli.pod.in_azure import Grant, Lock, Role, Target, Tried
from chatbot_operator.cli.pod.observed import BINDING, Unseen
from chatbot_operator.errors import Refusal, Service
from chatbot_operator.ports import Credential, Network, PrivateEndpoint
from unit.pod_world import (
    ACCOUNT,
    AUDIENCE,
    AZURE,
    CHAT,
    CLIENT,
    CLUSTER,
    GROUP,
    IDENTITY,
    ISSUER,
    OPENAI,
    PRINCIPAL,
    SUBJECT,
    kubectl,
    with_pod,
)

OTHER_SUBJECT = "system:serviceaccount:team:worker"
NOT_KNOWN = Unseen("not known: you may not", "Ask.", ("az login",))


def credential(held, cluster=CLUSTER):
    return judging_identity.credential(cluster, replace(AZURE, credentials=tuple(held)))


def held(name="cluster", issuer=ISSUER, subject=SUBJECT, audience=AUDIENCE):
    return Credential(name, issuer, subject, (audience,))


@pytest.mark.parametrize(
    ("changes", "mark", "words"),
    [
        ({}, Mark.OK, "web in resource group rg"),
        ({"client_id": "", "identity": None}, Mark.UNKNOWN, "no client id is known"),
        ({"client_id": ""}, Mark.OK, "web in resource group rg"),
        ({"client_id": PRINCIPAL}, Mark.WRONG, f"has client id {CLIENT}, but the pod uses"),
        ({"identity": NOT_KNOWN}, Mark.UNKNOWN, "you may not"),
        ({"identity": None}, Mark.UNKNOWN, "searched: the 1 that you can read (Main)"),
        ({"identity": None, "subscriptions": ()}, Mark.UNKNOWN, "searched: none"),
        ({"identity": None, "refused": ("Other (no)",)}, Mark.UNKNOWN, "not readable: Other (no)"),
    ],
)
def test_an_identity_is_found_by_its_client_id(changes, mark, words):
    check = judging_identity.identity(CLUSTER, replace(AZURE, **changes), kubectl)
    assert (check.mark, words in check.found) == (mark, True), check


def test_an_app_registration_is_asked_of_the_directory():
    show, listing = judging_identity.identity(
        CLUSTER, replace(AZURE, identity=None), kubectl
    ).commands
    assert shlex.split(show)[:6] == ["az", "ad", "sp", "show", "--id", CLIENT]
    assert listing == f"az ad app federated-credential list --id {CLIENT}"


@pytest.mark.parametrize(
    ("given", "code", "nearest", "verb"),
    [
        ([], "AADSTS70025", "", "create"),
        ([held(issuer=ISSUER.rstrip("/"))], "AADSTS700211", "lacks the slash", "update"),
        ([held(issuer=ISSUER.upper())], "AADSTS7002138", "case only", "update"),
        ([held(issuer="https://another/")], "AADSTS700211", "from character", "create"),
        ([held(subject=OTHER_SUBJECT)], "AADSTS700213", "names service account worker", "create"),
        ([held(subject=SUBJECT.replace("web", "Web"))], "AADSTS7002138", "case only", "update"),
        ([held(audience="api://other")], "AADSTS700212", "from character 7", "update"),
    ],
)
def test_a_credential_that_differs_is_named_as_entra_does(given, code, nearest, verb):
    check = credential(given)
    assert (check.mark, code in check.found) == (Mark.WRONG, True), check
    assert nearest in "".join(each.found for each in check.below)
    (command,) = check.commands
    words = shlex.split(command)
    assert words[:4] == ["az", "identity", "federated-credential", verb]
    expected = {"--issuer": ISSUER, "--subject": SUBJECT, "--audiences": AUDIENCE}
    assert {flag: words[words.index(flag) + 1] for flag in expected} == expected
    name = words[words.index("--name") + 1]
    assert name == ("cluster" if verb == "update" else "team-web")


def test_the_nearest_is_one_that_came_farthest():
    check = credential([held("far", issuer="https://x/"), held("near", subject=OTHER_SUBJECT)])
    assert "nearest is near" in check.found


def test_one_equal_credential_among_others_will_do():
    check = credential([held("a", issuer="https://x/"), held("b")])
    assert (check.mark, check.found.partition(" ")[0]) == (Mark.OK, "b")


def test_a_new_credential_takes_a_name_that_is_free():
    (command,) = credential([held("team-web", subject=OTHER_SUBJECT)]).commands
    assert "--name team-web-2 " in command


def test_the_limit_of_credentials_is_seen_coming():
    many = [held(str(n), subject=f"{SUBJECT}{n}") for n in range(20)]
    assert [each.name for each in credential([held(), *many[:17]]).below] == ["limit"]
    assert not credential([held(), *many[:16]]).below
    assert "Delete one" in credential(many).fix


@pytest.mark.parametrize(
    ("given", "mark", "words"),
    [
        ([held(issuer="https://x/")], Mark.UNKNOWN, "cluster (issuer https://x/)"),
        ([held(subject=OTHER_SUBJECT)], Mark.WRONG, f"none has subject {SUBJECT}"),
    ],
)
def test_without_an_issuer_the_rest_is_compared(given, mark, words):
    cluster = replace(CLUSTER, claims=replace(CLUSTER.claims, issuer=""))
    check = credential(given, cluster)
    assert (check.mark, words in check.found) == (mark, True)


def test_what_was_not_seen_is_not_judged():
    for azure in (replace(AZURE, identity=None), replace(AZURE, credentials=NOT_KNOWN)):
        assert judging_identity.credential(CLUSTER, azure).mark is Mark.UNKNOWN
    bound = with_pod(annotations={BINDING: "true"})
    assert "AKS keeps itself" in judging_identity.credential(bound, AZURE).found


UP = Grant(GROUP, CHAT)
READER = Grant(ACCOUNT, Role("Reader"))
ALL = ("Microsoft.CognitiveServices/*",)


@pytest.mark.parametrize(
    ("changes", "mark", "words"),
    [
        ({}, Mark.OK, "lets web chat with the models of contoso"),
        ({"grants": (UP,)}, Mark.OK, "lets web chat"),
        ({"grants": (Grant(ACCOUNT.upper(), CHAT),)}, Mark.OK, "lets web chat"),
        ({"grants": (Grant(f"{ACCOUNT}2", CHAT),)}, Mark.WRONG, "no role lets web chat"),
        ({"grants": (Grant(ACCOUNT[:-1], CHAT),)}, Mark.WRONG, "no role lets web chat"),
        ({"grants": (READER,)}, Mark.WRONG, "no role lets web chat"),
        ({"grants": (Grant(ACCOUNT, Role("Most", ALL, ALL)),)}, Mark.WRONG, "no role"),
        ({"grants": (Grant(ACCOUNT, CHAT, "@Resource"),)}, Mark.UNKNOWN, "on a condition"),
        ({"grants": NOT_KNOWN}, Mark.UNKNOWN, "you may not"),
        ({"identity": None}, Mark.UNKNOWN, "the identity is not known"),
        ({"target": None}, Mark.OK, "may, as far as you can see"),
        ({"target": None, "grants": ()}, Mark.NOTE, "no role that you can see"),
        ({"target": None, "scope": ACCOUNT}, Mark.OK, "Cognitive Services OpenAI User"),
        ({"target": None, "scope": GROUP}, Mark.WRONG, f"no role at {GROUP} or above"),
    ],
)
def test_roles_are_judged_by_what_the_pod_needs(changes, mark, words):
    check = judging_access.role(replace(AZURE, **changes))
    assert (check.mark, words in check.found) == (mark, True), check


def test_the_role_that_lacks_is_assigned_to_the_principal():
    (command,) = judging_access.role(replace(AZURE, grants=())).commands
    assert f"--assignee-object-id {PRINCIPAL} --assignee-principal-type Serv" in command
    assert f"--scope {ACCOUNT}" in command


def account(**changes):
    target = replace(Target(ACCOUNT, "as --account says", OPENAI), **changes)
    return judging_access.account(CLUSTER, replace(AZURE, target=target), kubectl)


@pytest.mark.parametrize(
    ("changes", "mark", "words"),
    [
        ({}, Mark.OK, "contoso in resource group rg, as --account says"),
        ({"found": None}, Mark.WRONG, f"there is no {ACCOUNT}"),
        ({"found": NOT_KNOWN}, Mark.UNKNOWN, "you may not"),
        ({"found": replace(OPENAI, subdomain="")}, Mark.WRONG, "no custom subdomain"),
        ({"found": replace(OPENAI, provisioning_state="Moving")}, Mark.WRONG, "Moving"),
        ({"found": replace(OPENAI, network=Network(public=False))}, Mark.WRONG, "contoso"),
    ],
)
def test_the_account_lets_pods_in(changes, mark, words):
    (check,) = account(**changes)
    assert (check.mark, words in check.found) == (mark, True), check


def test_what_is_restricted_is_noted():
    private = Network(public=False, endpoints=(PrivateEndpoint("pe", "Approved"),))
    (check,) = account(found=replace(OPENAI, network=private))
    assert (check.mark, check.below[0].mark) == (Mark.OK, Mark.NOTE)


@pytest.mark.parametrize(
    ("locks", "mark", "words"),
    [
        ((), Mark.OK, "none"),
        ((Lock(GROUP, "keep", "ReadOnly"),), Mark.NOTE, "keep (ReadOnly) at resource group rg"),
        (NOT_KNOWN, Mark.NOTE, "you may not"),
    ],
)
def test_locks_are_no_trouble(locks, mark, words):
    (check,) = account(locks=locks)
    assert (check.below[1].mark, words in check.below[1].found) == (mark, True)


def test_an_endpoint_that_nobody_can_place_is_asked_for():
    azure = replace(AZURE, target=None, endpoint="https://x.openai.azure.com/")
    (check,) = judging_access.account(CLUSTER, azure, kubectl)
    assert check.mark is Mark.UNKNOWN
    assert "why pod/web-1 -n team --account ID" in check.fix
    assert not judging_access.account(CLUSTER, replace(AZURE, target=None), kubectl)
    (check,) = judging_access.account(CLUSTER, replace(azure, subscriptions=NOT_KNOWN), kubectl)
    assert (check.mark, "was not looked for" in check.found) == (Mark.UNKNOWN, True)


def refusal(service, code, status=401):
    return Refusal("exchange", status=status, code=code, message=f"{code}: no", service=service)


@pytest.mark.parametrize(
    ("tried", "mark", "words"),
    [
        (None, Mark.NOTE, "--try"),
        (Unseen("not tried: no token"), Mark.UNKNOWN, "no token"),
        (Tried("scope"), Mark.OK, "gave a token for scope"),
        (Tried("s", refusal(Service.ENTRA, "AADSTS700213")), Mark.WRONG, "AADSTS700213"),
        (Tried("s", refusal(Service.ARM, "", 0)), Mark.UNKNOWN, "not reached"),
    ],
)
def test_an_exchange_is_told_and_explained(tried, mark, words):
    check = judging_access.exchange(replace(AZURE, tried=tried))
    assert (check.mark, words in check.found) == (mark, True), check


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("AADSTS700211", "no federated credential"),
        ("AADSTS700016", "does not know the identity's client id"),
        ("AADSTS700024", "expired or not yet valid"),
        ("AADSTS90061", "cannot fetch the cluster's OIDC"),
        ("AADSTS50027", "cannot verify"),
    ],
)
def test_every_code_has_its_cause(code, cause):
    tried = Tried("s", refusal(Service.ENTRA, code))
    check = judging_access.exchange(replace(AZURE, tried=tried))
    assert cause in check.cause
    assert check.fix
    assert IDENTITY not in check.cause
