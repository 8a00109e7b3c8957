"""Which identity that somebody else made a chatbot may run as. Pure."""

from __future__ import annotations

import pytest
from chatbot_operator import naming
from chatbot_operator.naming import Owner
from chatbot_operator.ports import Credential, Identity
from chatbot_operator.steps.existing import existing_place, usable
from chatbot_operator.steps.federation import own, trusted, trusts_the_same
from unit.bodies import ACCOUNT_ID, INSTALLATION, account, chatbot

THEIRS = "theirs"
SUBSCRIPTION = ACCOUNT_ID.split("/")[2]
HERE = naming.identity_id(SUBSCRIPTION, "identities", THEIRS)
ELSEWHERE = naming.identity_id(SUBSCRIPTION, "elsewhere", THEIRS)
ALLOW = "chatbot-operator-allow"
MINE = chatbot(identity={"existing": THEIRS})


def given(*, listed="", group="identities"):
    entries = [{"name": THEIRS, "id": listed}] if listed else []
    return account(identity={"existing": entries, "resourceGroup": group})


def found(at=HERE, **tags):
    return Identity(at, THEIRS, "westeurope", "p", "c", "t", tags)


@pytest.mark.parametrize(
    ("account", "place"),
    [
        (given(), HERE),
        (given(listed=ELSEWHERE), ELSEWHERE),
        (given(group=""), ""),
        (given(listed=ELSEWHERE, group=""), ELSEWHERE),
    ],
)
def test_it_lies_where_it_is_listed_else_where_identities_go(account, place):
    assert existing_place(MINE, account, INSTALLATION) == place


@pytest.mark.parametrize(
    ("account", "live"),
    [
        (given(listed=ELSEWHERE), found(ELSEWHERE)),
        (given(listed=ELSEWHERE), found(ELSEWHERE.upper())),
        (given(), found(**{ALLOW: "c/team/support"})),
        (given(), found(**{ALLOW.title(): "c/team/support"})),
    ],
)
def test_consent_is_a_list_or_a_tag(account, live):
    assert usable(live, MINE, account, INSTALLATION)


@pytest.mark.parametrize(
    ("account", "live"),
    [
        (given(), found()),
        (given(), found(**{ALLOW: "C/team/support"})),
        (given(), found(**{ALLOW: "c/team/support/uid"})),
        (given(), found(**{ALLOW: "c/team/*"})),
        (given(), found(ELSEWHERE, **{ALLOW: "c/team/support"})),
        (given(listed=ELSEWHERE), found(HERE)),
        (given(group=""), found(**{ALLOW: "c/team/support"})),
        (given(listed=HERE), found(**{"Chatbot-Operator-Owner": "another"})),
        (given(listed=HERE), found(**{"chatbot-operator-retained": "true"})),
        (given(listed=HERE), found(**{"chatbot-operator-uid": ""})),
    ],
)
def test_nothing_else_is_and_none_that_was_made_for_a_chatbot(account, live):
    assert not usable(live, MINE, account, INSTALLATION)


OWNER = Owner("c", "team", "support", "uid")
ISSUER = "https://issuer/"


@pytest.mark.parametrize(
    ("owner", "issuer"),
    [
        (OWNER, "https://issuer"),
        (Owner("d", "team", "support", "uid"), ISSUER),
        (Owner("c", "team-support", "", "uid"), ISSUER),
        (Owner("c", "team", "support2", "uid"), ISSUER),
    ],
)
def test_under_a_shared_identity_no_two_write_the_same_name(owner, issuer):
    mine = naming.shared_credential_name(OWNER, ISSUER)
    assert naming.shared_credential_name(owner, issuer) != mine


def test_the_name_is_legal_readable_and_stays():
    longest = naming.shared_credential_name(Owner("c", "n" * 63, "c" * 63, "u"), ISSUER)
    assert len(longest) <= 120
    assert naming.shared_credential_name(OWNER, ISSUER) == "cb-team-support-6k2tmwyqnr"
    again = Owner("c", "team", "support", "another life")
    assert naming.shared_credential_name(again, ISSUER) == "cb-team-support-6k2tmwyqnr"


def test_ours_are_known_by_exact_name_for_whichever_issuer():
    wanted = trusted(MINE, INSTALLATION)
    assert own(wanted, MINE, INSTALLATION)
    name = naming.shared_credential_name(OWNER, "https://former/")
    former = Credential(name, "https://former/", wanted.subject, wanted.audiences)
    assert own(former, MINE, INSTALLATION)
    for other in (
        Credential("pipeline", wanted.issuer, wanted.subject, wanted.audiences),
        Credential(name, wanted.issuer, wanted.subject, wanted.audiences),
        Credential(name, "https://former/", "repo:x", wanted.audiences),
        Credential(naming.credential_name(ISSUER), wanted.issuer, wanted.subject, wanted.audiences),
    ):
        assert not own(other, MINE, INSTALLATION)


def test_an_equal_credential_trusts_the_same_by_whichever_name():
    wanted = trusted(MINE, INSTALLATION)
    assert trusts_the_same(Credential("x", wanted.issuer, wanted.subject, ()), wanted)
    assert not trusts_the_same(Credential("x", "https://issuer", wanted.subject, ()), wanted)
