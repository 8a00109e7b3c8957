"""The commands that people run in the operator's stead."""

from __future__ import annotations

import shlex

from chatbot_operator import az, naming
from chatbot_operator.ports import Assignment, Credential
from unit.bodies import ACCOUNT_ID

AT = naming.identity_id("sub", "group", "cb-team-support")


def options(command):
    words = shlex.split(command)
    assert words[0] == "az"
    first = next(i for i, word in enumerate(words) if word.startswith("--"))
    found = {}
    for word in words[first:]:
        if word.startswith("--"):
            values = found[word] = []
        else:
            values.append(word)
    return " ".join(words[1:first]), found


def test_an_identity_is_made_with_its_tags_whatever_they_hold():
    tags = {"chatbot-operator-uid": "u", "cost center": "a b; rm -rf $HOME `x`"}
    what, given = options(az.create_identity(AT, location="westeurope", tags=tags))
    assert what == "identity create"
    assert given == {
        "--name": ["cb-team-support"],
        "--resource-group": ["group"],
        "--subscription": ["sub"],
        "--location": ["westeurope"],
        "--tags": ["chatbot-operator-uid=u", "cost center=a b; rm -rf $HOME `x`"],
    }


def test_a_credential_is_made_under_its_identity():
    wanted = Credential("cb-x", "https://issuer/", "system:serviceaccount:a:b", ("aud",))
    what, given = options(az.create_credential(AT, wanted))
    assert what == "identity federated-credential create"
    assert given["--identity-name"] == ["cb-team-support"]
    assert given["--issuer"] == ["https://issuer/"]
    assert given["--subject"] == ["system:serviceaccount:a:b"]
    assert given["--audiences"] == ["aud"]


def test_a_role_is_assigned_without_asking_the_directory():
    what, given = options(az.create_assignment(Assignment("n", ACCOUNT_ID, "p", "r", "")))
    assert what == "role assignment create"
    assert given["--assignee-object-id"] == ["p"]
    assert given["--assignee-principal-type"] == ["ServicePrincipal"]
    assert given["--role"] == [naming.OPENAI_USER_ROLE]
    assert given["--scope"] == [ACCOUNT_ID]


def test_what_is_left_can_be_deleted():
    assert options(az.delete_identity(AT))[0] == "identity delete"
    what, given = options(az.delete_assignments("p", ACCOUNT_ID))
    assert what == "role assignment delete"
    assert given["--assignee-object-id"] == ["p"]


def test_one_tag_is_added_and_the_others_stay():
    what, given = options(az.tag_identity(AT, "chatbot-operator-allow", "c/team/support"))
    assert what == "tag update"
    assert given["--resource-id"] == [AT]
    assert given["--operation"] == ["Merge"]
    assert given["--tags"] == ["chatbot-operator-allow=c/team/support"]


def test_an_account_gets_its_own_name_as_subdomain():
    what, given = options(az.give_subdomain(ACCOUNT_ID))
    assert what == "cognitiveservices account update"
    assert given["--custom-domain"] == given["--name"]


def test_a_credential_is_put_right_under_its_own_name():
    wanted = Credential("new", "https://issuer/", "system:serviceaccount:a:b", ("aud",))
    what, given = options(az.update_credential(AT, wanted, "old"))
    assert what == "identity federated-credential update"
    assert given["--name"] == ["old"]
    assert given["--issuer"] == ["https://issuer/"]


def test_one_credential_can_be_deleted():
    what, given = options(az.delete_credential(AT, "cb-x"))
    assert what == "identity federated-credential delete"
    assert given["--name"] == ["cb-x"]
    assert given["--identity-name"] == ["cb-team-support"]


def test_an_identity_of_others_is_made_without_tags_where_its_group_is():
    assert set(options(az.create_identity(AT))[1]) == {
        "--name",
        "--resource-group",
        "--subscription",
    }
