"""A chatbot that takes tokens of Entra, as a process: every route, before everything else."""

from __future__ import annotations

import contextlib
import socket
import time

import httpx2
import openai
import pytest
from chatbot.directory import ADA, AUDIENCE, GROUP, TENANT
from chatbot.talking import HI, post, wait_until
from chatbot.upstream import Say
from chatbot_app.settings import EntraToken, SettingsError, parse

NEEDED = {
    "AZURE_OPENAI_ENDPOINT": "https://acc.openai.azure.com/",
    "AZURE_OPENAI_DEPLOYMENT": "gpt",
}
TOKENS = {"ACCESS_TOKEN_AUDIENCES": AUDIENCE, "ACCESS_TOKEN_TENANT": TENANT}
ROUTES = ["", "index.html", "app.js", "icon.svg", "api/config", "v1/models", "nowhere"]
EVE = "eeeeeeee-0000-4000-8000-000000000009"


@pytest.fixture
def chatbot(launch):
    return launch(OPS_PORT=None, CHAT_API="openai", **TOKENS)


def bearer(upstream, **claims):
    return {"Authorization": f"Bearer {upstream.directory.token(**claims)}"}


def test_nothing_is_answered_without_a_token(chatbot, upstream):
    for route in ROUTES:
        response = httpx2.get(f"{chatbot.page}{route}")
        assert response.status_code == 401, route
        assert "sign in" in response.text
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.headers["cache-control"] == "no-store"
        assert "content-security-policy" in response.headers
    assert post(chatbot).status_code == 401
    assert upstream.chats == []


def test_a_token_in_the_address_or_a_cookie_is_none(chatbot, upstream):
    token = upstream.directory.token()
    for query in ("access_token", "token", "id_token", "authorization"):
        assert httpx2.get(f"{chatbot.page}?{query}={token}").status_code == 401
    cookies = {"Authorization": f"Bearer {token}", "access_token": token}
    assert httpx2.get(chatbot.page, cookies=cookies).status_code == 401
    assert post(chatbot, HI | {"access_token": token}).status_code == 401


def test_whoever_holds_a_token_is_answered_and_known_by_name(chatbot, upstream):
    ada = bearer(upstream)
    assert httpx2.get(chatbot.page, headers=ada).status_code == 200
    assert post(chatbot, **ada).status_code == 200
    config = httpx2.get(f"{chatbot.page}api/config", headers=ada)
    assert config.json()["user"] == "ada@example.com"
    assert ADA not in config.text


def test_each_kind_of_route_says_no_in_its_own_form(chatbot, upstream):
    page = httpx2.get(chatbot.page, headers=bearer(upstream, exp=time.time() - 100))
    assert page.headers["content-type"].startswith("text/plain")
    assert "expired" in page.text
    api = post(chatbot, **bearer(upstream, aud="another"))
    assert (api.status_code, api.json()["reason"]) == (401, "NotSignedIn")
    assert "another application" in api.json()["message"]
    url = f"{chatbot.page}v1/chat/completions"
    v1 = httpx2.post(url, json={}, headers=bearer(upstream, idtyp="app"))
    error = v1.json()["error"]
    assert (v1.status_code, error["type"]) == (403, "permission_error")
    assert (error["code"], error["param"]) == ("NotAllowed", None)


def test_a_client_of_openai_signs_in_with_the_token_for_a_key(chatbot, upstream):
    ask = {"model": "chatbot", "messages": HI["messages"]}
    with openai.OpenAI(
        base_url=f"{chatbot.page}v1", api_key=upstream.directory.token(), max_retries=0
    ) as client:
        assert client.chat.completions.create(**ask).choices[0].message.content == "Hello."
    with (
        openai.OpenAI(base_url=f"{chatbot.page}v1", api_key="none", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.chat.completions.create(**ask)


def test_a_token_of_the_visitor_never_goes_to_the_model(chatbot, upstream):
    token = upstream.directory.token()
    assert post(chatbot, Authorization=f"Bearer {token}").status_code == 200
    assert token not in str(upstream.chats)
    assert token not in upstream.reads


def test_whoever_is_not_in_the_group_is_forbidden(launch, upstream):
    chatbot = launch(OPS_PORT=None, ACCESS_TOKEN_GROUPS=f"{EVE},{GROUP}", **TOKENS)
    assert httpx2.get(chatbot.page, headers=bearer(upstream, groups=[GROUP])).status_code == 200
    for route in ROUTES:
        refused = httpx2.get(f"{chatbot.page}{route}", headers=bearer(upstream, groups=[ADA]))
        assert refused.status_code == 403, route
        assert "in none of the groups" in refused.text
        assert "www-authenticate" not in refused.headers


HUGE = {"messages": [{"role": "user", "content": "a" * 1_200_000}]}
CROSS = {"Sec-Fetch-Site": "cross-site"}


def status(chatbot, headers, body=HI, kind="application/json"):
    url = f"{chatbot.page}api/chat"
    content = httpx2.Request("POST", url, json=body).content
    given = {**headers, "content-type": kind}
    return httpx2.post(url, content=content, headers=given, timeout=60).status_code


def test_first_who_then_from_where_then_what(chatbot, upstream):
    """Whoever is not signed in learns nothing else, and everything else holds for who is."""
    ada, expired = bearer(upstream), bearer(upstream, exp=1)
    for nobody in ({}, expired):
        assert status(chatbot, {**nobody, **CROSS}, HUGE, "text/plain") == 401
        assert status(chatbot, nobody, HUGE) == 401
        assert status(chatbot, nobody, {}) == 401
    assert status(chatbot, {**ada, **CROSS}, HUGE, "text/plain") == 403
    assert status(chatbot, {**ada, "Origin": "https://evil.example"}) == 403
    assert status(chatbot, ada, HUGE, "text/plain") == 415
    assert status(chatbot, ada, HUGE) == 413
    assert status(chatbot, ada, {}) == 400
    assert status(chatbot, ada) == 200
    assert len(upstream.chats) == 1


def test_a_body_is_not_read_of_nobody(chatbot):
    """The answer comes although most of the body never does."""
    url = httpx2.URL(chatbot.page)
    head = (
        f"POST /api/chat HTTP/1.1\r\nHost: {url.host}\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000000\r\n\r\n{"
    )
    with socket.create_connection((url.host, url.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 401 ")


@contextlib.contextmanager
def asking(chatbot, headers):
    url = f"{chatbot.page}api/chat"
    with httpx2.stream("POST", url, json=HI, headers=headers, timeout=60) as response:
        yield response.status_code


def test_limits_are_those_of_the_person_not_of_the_token(launch, upstream):
    chatbot = launch(OPS_PORT=None, CHAT_ANSWERS_PER_USER="1", **TOKENS)
    upstream.otherwise = lambda _: Say(("a",) * 1000, pause=0.05)
    with asking(chatbot, bearer(upstream)) as status:
        assert status == 200
        wait_until(lambda: upstream.streaming == 1)
        another = bearer(upstream, preferred_username="somebody else", uti="2")
        assert post(chatbot, **another).json()["reason"] == "TooManyAtOnce"
        namesake = bearer(upstream, oid=EVE)
        with asking(chatbot, namesake) as of_another:
            assert of_another == 200


def test_a_token_of_most_groups_and_the_cookies_of_a_proxy_fit(chatbot, upstream):
    groups = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(200)]
    given = bearer(upstream, groups=groups) | {"Cookie": f"_oauth2_proxy={'c' * 12_000}"}
    assert httpx2.get(chatbot.page, headers=given).status_code == 200


def test_a_token_that_is_too_large_is_no_token(chatbot, upstream):
    assert httpx2.get(chatbot.page, headers=bearer(upstream, more="a" * 30_000)).status_code == 401


def test_two_tokens_are_nobodys(chatbot, upstream):
    one, other = bearer(upstream), bearer(upstream, oid=EVE)
    both = [*one.items(), *other.items()]
    assert httpx2.get(chatbot.page, headers=both).status_code == 401


def test_easy_auth_passes_its_token_in_a_header_of_its_own(launch, upstream):
    name = "X-MS-TOKEN-AAD-ID-TOKEN"
    chatbot = launch(OPS_PORT=None, ACCESS_TOKEN_HEADER=name, **TOKENS)
    assert httpx2.get(chatbot.page, headers=bearer(upstream)).status_code == 401
    named = {name.lower(): upstream.directory.token()}
    assert httpx2.get(chatbot.page, headers=named).status_code == 200


def test_before_entra_was_reached_nobody_is_let_in_and_nobody_is_blamed(launch, upstream):
    upstream.directory.down = True
    chatbot = launch(**TOKENS)
    chatbot.until("Proven")  # an outage of sign-ins is none of the chatbot's own access
    refused = post(chatbot, **bearer(upstream))
    assert (refused.status_code, refused.json()["reason"]) == (503, "AuthorityUnreachable")
    assert "try again" in refused.json()["message"]
    assert refused.headers["retry-after"] == "30"
    assert post(chatbot).status_code == 401


def test_an_outage_of_entra_is_not_noticed(chatbot, upstream):
    assert post(chatbot, **bearer(upstream)).status_code == 200
    asked = len(upstream.directory.asked)
    upstream.directory.down = True
    for _ in range(20):
        assert httpx2.get(f"{chatbot.page}api/config", headers=bearer(upstream)).status_code == 200
    assert len(upstream.directory.asked) == asked == 3


def test_nothing_of_a_token_is_logged(launch, upstream):
    chatbot = launch(**TOKENS)
    chatbot.until("Proven")
    good, bad = upstream.directory.token(), upstream.directory.token(exp=1)
    forged = f"{good[:-40]}{'A' * 40}"
    for token in (good, bad, forged, "e30.e30.e30"):
        post(chatbot, Authorization=f"Bearer {token}")
    log = chatbot.end()
    for secret in ("eyJ", "e30", ADA, "ada@example.com", "Lovelace", AUDIENCE, TENANT):
        assert secret not in log
    assert '"event": "chat"' in log


def test_probes_need_no_sign_in(launch):
    assert launch(**TOKENS).until("Proven")[0] == 200


def test_what_is_read():
    read = parse(NEEDED | TOKENS).access
    assert read == EntraToken(
        audiences=(AUDIENCE,),
        tenant=TENANT,
        authority="https://login.microsoftonline.com/",
        header="Authorization",
        groups=frozenset(),
        peers=(),
    )
    more = {
        "ACCESS_TOKEN_AUDIENCES": f"{AUDIENCE}, {ADA}",
        "ACCESS_TOKEN_TENANT": TENANT.upper(),
        "ACCESS_TOKEN_GROUPS": f"{GROUP.upper()}, {EVE}",
        "ACCESS_TRUSTED_PEERS": "10.0.0.0/8",
        "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/",
    }
    read = parse(NEEDED | more).access
    assert (read.audiences, read.tenant) == ((AUDIENCE, ADA), TENANT)
    assert (read.groups, len(read.peers)) == ({GROUP, EVE}, 1)
    assert read.authority == "https://login.microsoftonline.us/"


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"ACCESS_TOKEN_AUDIENCES": AUDIENCE}, "ACCESS_TOKEN_TENANT"),
        ({"ACCESS_TOKEN_TENANT": TENANT}, "ACCESS_TOKEN_AUDIENCES"),
        ({"ACCESS_TOKEN_GROUPS": GROUP}, "ACCESS_TOKEN_AUDIENCES"),
        ({"ACCESS_TOKEN_HEADER": "X-Token"}, "ACCESS_TOKEN_AUDIENCES"),
        (TOKENS | {"ACCESS_TOKEN_AUDIENCES": " , "}, "ACCESS_TOKEN_AUDIENCES"),
        (TOKENS | {"ACCESS_TOKEN_TENANT": "contoso.example"}, "ACCESS_TOKEN_TENANT"),
        (TOKENS | {"ACCESS_TOKEN_TENANT": "common"}, "ACCESS_TOKEN_TENANT"),
        (TOKENS | {"ACCESS_TOKEN_TENANT": f"{TENANT},{ADA}"}, "ACCESS_TOKEN_TENANT"),
        (TOKENS | {"ACCESS_TOKEN_GROUPS": "Everybody"}, "ACCESS_TOKEN_GROUPS"),
        (TOKENS | {"ACCESS_TOKEN_GROUPS": ","}, "ACCESS_TOKEN_GROUPS"),
        (TOKENS | {"ACCESS_TOKEN_GROUPS": f"{GROUP},"}, "ACCESS_TOKEN_GROUPS"),
        (TOKENS | {"ACCESS_TRUSTED_PEERS": "the proxy"}, "ACCESS_TRUSTED_PEERS"),
        (TOKENS | {"ACCESS_USER_HEADER": "X-User"}, "ACCESS_USER_HEADER"),
    ],
)
def test_half_a_setting_lets_nobody_in(given, wrong):
    with pytest.raises(SettingsError) as caught:
        parse(NEEDED | given)
    assert wrong in {problem.name for problem in caught.value.problems}
