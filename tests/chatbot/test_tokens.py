"""Whose a token is: of this tenant, for this chatbot, now, and of somebody who may chat."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
import time
from dataclasses import replace

import jwt
import pytest
from chatbot.directory import ADA, AUDIENCE, GROUP, TENANT, Key
from chatbot.upstream import Upstream
from chatbot_app.access.admission import User
from chatbot_app.access.keys import Keys, entra
from chatbot_app.access.tokens import LEEWAY, LONGEST, ProvenByToken
from chatbot_app.denials import DeniedError
from chatbot_app.settings import EntraToken
from chatbot_app.trust import trust
from cryptography.hazmat.primitives.asymmetric import rsa

OTHER = "cccccccc-0000-4000-8000-000000000003"
SECOND = "22222222-0000-4000-8000-000000000003"
FORGED = Key("first")
"""Claims the id of a key of Entra's, and is none of them."""
TERMS = EntraToken(
    audiences=(AUDIENCE, SECOND),
    tenant=TENANT,
    authority="",
    header="Authorization",
    groups=frozenset(),
    peers=(),
)
MEMBERS = replace(TERMS, groups=frozenset({GROUP, OTHER}))


@pytest.fixture(scope="module")
def server(authority):
    server = Upstream(authority.issue("entra"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def directory(server):
    server.directory.forget()
    return server.directory


@pytest.fixture
def ask(server, authority):
    """Give the user whose a request is; its headers are pairs, or the value of the one."""

    async def ask(given, terms=TERMS, client="10.1.2.3"):
        fetch = entra(server.address, TENANT, trusted=trust(str(authority.certificate)))
        keys = Keys(fetch, clock=time.monotonic, sleep=asyncio.sleep, random=lambda: 0.5)
        pairs = [(terms.header, given)] if isinstance(given, str) else given
        raw = [(name.lower().encode(), value.encode()) for name, value in pairs]
        return await ProvenByToken(terms, keys).user({"headers": raw, "client": (client, 1)})

    return ask


@pytest.fixture
def refusal(ask):
    async def refusal(given, **how):
        with pytest.raises(DeniedError) as caught:
            await ask(given, **how)
        return caught.value.denial

    return refusal


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_a_token_of_the_tenant_for_this_chatbot_is_its_holders(directory, ask):
    user = await ask(f"Bearer {directory.token()}")
    assert user == User(id=ADA, name="ada@example.com")


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER   {}", "{}"])
async def test_a_header_may_call_it_a_bearers(directory, ask, form):
    assert (await ask(form.format(directory.token()))).id == ADA


@pytest.mark.parametrize("header", ["X-Forwarded-Access-Token", "X-MS-TOKEN-AAD-ID-TOKEN"])
async def test_a_proxy_may_pass_it_in_a_header_of_its_own(directory, ask, refusal, header):
    terms = replace(TERMS, header=header)
    assert (await ask(directory.token(), terms=terms)).id == ADA
    elsewhere = [("Authorization", f"Bearer {directory.token()}")]
    assert (await refusal(elsewhere, terms=terms)).status == 401


async def test_tokens_of_both_versions_are_of_the_tenant(directory, ask):
    former = directory.token(iss=directory.issuers[1], ver="1.0")
    assert (await ask(former)).id == ADA
    assert (await ask(directory.token(aud=SECOND))).id == ADA


async def test_a_cloud_has_issuers_of_its_own(directory, ask, refusal):
    public = directory.token()
    directory.issuers = (
        f"https://login.partner.microsoftonline.cn/{TENANT}/v2.0",
        f"https://sts.chinacloudapi.cn/{TENANT}/",
    )
    for issuer in directory.issuers:
        assert (await ask(directory.token(iss=issuer))).id == ADA
    assert (await refusal(public)).status == 401


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": None}, "Ada Lovelace"),
        ({"preferred_username": "", "name": None}, ADA),
        ({"preferred_username": "ada\r\nX: \x1b[31m" + "a" * 999}, "ada X: [31m" + "a" * 244 + "…"),
        ({"preferred_username": ["ada"], "name": "Ada"}, "Ada"),
    ],
)
async def test_the_holder_has_a_name(directory, ask, claims, name):
    assert (await ask(directory.token(**claims))).name == name


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"aud": "api://another"}, "another application"),
        ({"aud": f"{AUDIENCE}/"}, "another application"),
        ({"aud": AUDIENCE.upper()}, "another application"),
        ({"aud": "00000003-0000-0000-c000-000000000000"}, "another application"),
        ({"iss": f"https://login.microsoftonline.com/{OTHER}/v2.0"}, "another tenant"),
        ({"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0/"}, "another tenant"),
        ({"iss": f"https://login.microsoftonline.us/{TENANT}/v2.0"}, "another tenant"),
        ({"iss": f"https://sts.windows.net/{TENANT}"}, "another tenant"),
        ({"tid": OTHER}, "another tenant"),
        ({"exp": time.time() - LEEWAY - 5}, "expired"),
        ({"nbf": time.time() + LEEWAY + 3600}, "a clock is wrong"),
        ({"iat": time.time() + LEEWAY + 3600}, "a clock is wrong"),
        ({"exp": None}, "does not say all"),
        ({"iss": None}, "does not say all"),
        ({"sub": None}, "does not say all"),
        ({"tid": None}, "“openid” and “profile”"),
        ({"oid": None}, "“openid” and “profile”"),
        ({"aud": None}, ""),
        ({"aud": []}, ""),
        ({"exp": "tomorrow"}, ""),
        ({"oid": ""}, "does not say all"),
        ({"oid": [ADA]}, "does not say all"),
        ({"tid": [TENANT]}, "does not say all"),
        ({"sub": 7}, ""),
    ],
)
async def test_a_token_of_entras_that_is_not_for_here(directory, refusal, claims, said):
    denial = await refusal(f"Bearer {directory.token(**claims)}")
    assert (denial.status, denial.reason, denial.challenge) == (401, "NotSignedIn", "Bearer")
    assert said in denial.message


@pytest.mark.parametrize("claims", [{"exp": -LEEWAY + 20}, {"nbf": LEEWAY - 20}])
async def test_clocks_may_differ_a_little(directory, ask, claims):
    moved = {name: int(time.time() + seconds) for name, seconds in claims.items()}
    assert (await ask(directory.token(**moved))).id == ADA


def unsigned(directory):
    return f"{part({'alg': 'none', 'kid': 'first'})}.{part(directory.claims())}."


def named_unsigned(directory):
    _, claims, signature = directory.token().split(".")
    return f"{part({'alg': 'none', 'kid': 'first'})}.{claims}.{signature}"


def signed_with_the_public_key(directory):
    """What is public is the secret of HS256, for a verifier that believes the header."""
    text = directory.keys[0].pem()
    body = f"{part({'alg': 'HS256', 'kid': 'first'})}.{part(directory.claims())}"
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = algorithm.sign(body.encode(), text)
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def signed_otherwise(directory):
    return jwt.encode(directory.claims(), directory.keys[0].private, "PS256", {"kid": "first"})


def changed(directory):
    head, _, signature = directory.token().split(".")
    return f"{head}.{part(directory.claims(oid=OTHER))}.{signature}"


def with_the_keys_own(directory):
    return directory.token(FORGED, header={"jwk": FORGED.jwk()})


def critical(directory):
    return directory.token(header={"crit": ["x"], "x": 1})


def many_brackets(directory):
    head = part({"alg": "RS256", "kid": "first"})
    deep = base64.urlsafe_b64encode(b"[" * 20_000).rstrip(b"=").decode()
    return f"{head}.{deep}.AAAA"


def deep_header(directory):
    deep = base64.urlsafe_b64encode(b"[" * 20_000).rstrip(b"=").decode()
    return f"{deep}.e30.AAAA"


FORGERIES = [
    unsigned,
    named_unsigned,
    signed_with_the_public_key,
    signed_otherwise,
    changed,
    with_the_keys_own,
    critical,
    many_brackets,
    deep_header,
    lambda d: d.token(FORGED),
    lambda d: d.token(FORGED, header={"kid": "unheard-of"}),
    lambda d: d.token(FORGED, header={"kid": "../../first"}),
    lambda d: d.token(header={"kid": "FIRST"}),
    lambda d: d.token() + "." + d.token(),
    lambda d: d.token()[:-8],
    lambda d: d.token().rpartition(".")[0] + ".",
    lambda d: d.token().rpartition(".")[0],
    lambda d: f"Basic {d.token()}",
    lambda d: f"Bearer Bearer {d.token()}",
    lambda d: f"Bearer {d.token()}, Bearer {d.token()}",
    lambda d: f"Bearer {d.token()} {d.token()}",
    lambda _: "",
    lambda _: "Bearer",
    lambda _: "Bearer ",
    lambda _: "Bearer ..",
    lambda _: "Bearer ein.schöner.Täuschungsversuch",
    lambda _: "Bearer " + "e30." * 3,
    lambda _: f"{part([1])}.e30.AAAA",
    lambda _: f"{part({'alg': 'RS256', 'kid': ['first']})}.e30.AAAA",
    lambda _: f"{part({'alg': 'RS256'})}.e30.AAAA",
]


@pytest.mark.parametrize("forge", FORGERIES)
async def test_a_forgery_is_nobodys(directory, refusal, forge):
    denial = await refusal(forge(directory))
    assert (denial.status, denial.reason) == (401, "NotSignedIn")
    assert ADA not in denial.message
    assert "eyJ" not in denial.message


@pytest.mark.parametrize("name", ["jku", "x5u"])
async def test_a_token_does_not_say_where_its_keys_are(directory, server, refusal, name):
    directory.published = None
    theirs = f"{server.address}{TENANT}/discovery/v2.0/keys?theirs"
    assert (await refusal(directory.token(FORGED, header={name: theirs}))).status == 401
    assert directory.asked == [
        f"/{TENANT}/v2.0/.well-known/openid-configuration",
        f"/{TENANT}/.well-known/openid-configuration",
        f"/{TENANT}/discovery/v2.0/keys",
    ]


async def test_a_huge_token_is_not_even_read(directory, ask, refusal):
    groups = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(200)]
    most = directory.token(groups=groups)
    assert (await ask(most)).id == ADA
    directory.asked.clear()
    assert (await refusal(directory.token(padding="a" * LONGEST))).status == 401
    assert directory.asked == []


@pytest.mark.parametrize("again", ["Authorization", "authorization"])
async def test_two_tokens_are_nobodys(directory, refusal, again):
    token = f"Bearer {directory.token()}"
    denial = await refusal([("Authorization", token), (again, token)])
    assert denial.status == 401
    assert "more than one" in denial.message


@pytest.mark.parametrize(
    "weak", [{"kty": "oct", "k": "c2VjcmV0"}, {"use": "enc"}, {"kty": "EC"}, {"n": "AQAB"}]
)
async def test_only_strong_keys_that_sign_are_taken(directory, refusal, weak):
    directory.keys.append(Key("second"))
    directory.published = [Key("third").jwk(), directory.keys[1].jwk() | weak]
    assert (await refusal(directory.token())).status == 401


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
async def test_a_key_that_can_be_broken_signs_nothing(directory, refusal):
    directory.keys.append(Key("weak", rsa.generate_private_key(65537, 1024)))  # noqa: S505
    assert (await refusal(directory.token())).status == 401


async def test_peers_may_be_named_besides(directory, ask, refusal):
    terms = replace(TERMS, peers=(ipaddress.ip_network("10.1.0.0/16"),))
    token = f"Bearer {directory.token()}"
    assert (await ask(token, terms=terms)).id == ADA
    assert (await ask(token, terms=terms, client="::ffff:10.1.2.3")).id == ADA
    assert (await refusal(token, terms=terms, client="10.2.0.1")).status == 401
    spoofed = [("Authorization", token), ("X-Forwarded-For", "10.1.2.3")]
    assert (await refusal(spoofed, terms=terms, client="10.2.0.1")).status == 401


@pytest.mark.parametrize("groups", [[GROUP], [GROUP.upper()], ["x", OTHER], [7, GROUP]])
async def test_one_of_the_groups_is_enough(directory, ask, groups):
    assert (await ask(directory.token(groups=groups), terms=MEMBERS)).id == ADA


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"groups": [ADA]}, "in none of the groups"),
        ({"groups": GROUP}, "in none of the groups"),
        ({"groups": {GROUP: True}}, "in none of the groups"),
        ({"groups": [GROUP[:-1]]}, "in none of the groups"),
        ({}, "has to add the groups claim"),
        ({"groups": []}, "has to add the groups claim"),
        ({"roles": [GROUP], "wids": [GROUP]}, "has to add the groups claim"),
        ({"hasgroups": True}, "groups assigned to the application"),
        (
            {
                "_claim_names": {"groups": "src1"},
                "_claim_sources": {"src1": {"endpoint": "https://graph.windows.net/…"}},
            },
            "groups assigned to the application",
        ),
        ({"_claim_names": "groups"}, "has to add the groups claim"),
    ],
)
async def test_whoever_is_in_none_of_the_groups_is_told_so(directory, refusal, claims, said):
    denial = await refusal(directory.token(**claims), terms=MEMBERS)
    assert (denial.status, denial.reason, denial.challenge) == (403, "NotAllowed", "")
    assert said in denial.message


@pytest.mark.parametrize("claims", [{"idtyp": "app"}, {"sub": ADA}])
async def test_an_application_needs_a_group(directory, ask, refusal, claims):
    denial = await refusal(directory.token(**claims))
    assert (denial.status, denial.reason) == (403, "NotAllowed")
    assert "application" in denial.message
    assert (await refusal(directory.token(**claims), terms=MEMBERS)).status == 403
    assert (await ask(directory.token(**claims, groups=[GROUP]), terms=MEMBERS)).id == ADA
