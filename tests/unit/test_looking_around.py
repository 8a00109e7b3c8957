"""What a person's looks at Azure and at issuers meet: pages, other hosts, silence."""

from __future__ import annotations

import contextlib
import socket
import time
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from chatbot_operator.azure import entra
from chatbot_operator.azure.catalogue import Catalogue, _origin
from chatbot_operator.azure.transport import session
from chatbot_operator.cli.reach import Held, of_now
from chatbot_operator.clouds import is_entra
from chatbot_operator.errors import Refusal
from sandbox.cluster.https import serving


class Counting:
    """A credential that counts how often it is asked."""

    asked = 0

    async def get_token(self, *_scopes, **_how):
        self.asked += 1
        return AccessToken(f"token-{self.asked}", int(time.time()) + 3600)


@pytest.fixture
async def server(authority):
    """A server that answers each path with a document, or a status, that a test says."""
    said = {}
    seen = []

    async def answer(request):
        seen.append((request.path, request.query_string, request.headers.get("Authorization")))
        found = said.get(request.path, 404)
        if isinstance(found, int):
            return web.json_response({"error": {"code": "Code", "message": "m"}}, status=found)
        if isinstance(found, str):
            return web.Response(text=found)
        return web.json_response(found)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with contextlib.AsyncExitStack() as stack:
        bound = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        await stack.enter_async_context(serving(app, bound, authority.issue("server")))
        http = await stack.enter_async_context(session(str(authority.bundle)))
        url = f"https://127.0.0.1:{bound.getsockname()[1]}"
        yield SimpleNamespace(url=url, said=said, seen=seen, http=http)


@pytest.fixture
async def catalogue(server):
    of = Catalogue(Counting(), endpoint=f"{server.url}/", scope="scope", session=server.http)
    async with of as catalogue:
        yield catalogue


async def test_lists_are_read_page_by_page(server, catalogue):
    server.said["/a"] = {"value": [{"n": 1}], "nextLink": f"{server.url}/b?page=2"}
    server.said["/b"] = {"value": [{"n": 2}]}

    assert await catalogue.every("/a", "2024-01-01", "name eq 'x'") == [{"n": 1}, {"n": 2}]
    assert [each[0] for each in server.seen] == ["/a", "/b"]
    assert "api-version=2024-01-01" in server.seen[0][1]
    assert "$filter=name eq 'x'" in server.seen[0][1]
    assert server.seen[1][1:] == ("page=2", "Bearer token-1")


async def test_no_token_goes_to_another_host(server, catalogue):
    plain = server.url.replace("https", "http")
    for more in ("https://elsewhere.example/b", f"{plain}/b", f"{server.url}@elsewhere.example/b"):
        server.said["/a"] = {"value": [{"n": 1}], "nextLink": more}
        with pytest.raises(Refusal, match="goes on at another address"):  # and half is not all
            await catalogue.every("/a", "1")
    assert {each[0] for each in server.seen} == {"/a"}


def test_azure_spells_its_own_address_in_several_ways():
    assert _origin("https://management.azure.com:443/b") == _origin("https://Management.azure.com")


async def test_what_is_not_there_is_nothing_and_the_rest_is_refused(server, catalogue):
    server.said["/refused"] = 403
    assert await catalogue.one("/gone", "1") is None
    with pytest.raises(Refusal) as refused:
        await catalogue.one("/refused", "1")
    assert (refused.value.status, refused.value.code, refused.value.reading) == (403, "Code", True)


async def test_a_throttled_list_is_refused_with_its_pause(server, catalogue):
    server.said["/a"] = 429
    with pytest.raises(Refusal) as refused:
        await catalogue.every("/a", "1")
    assert refused.value.status == 429


async def test_an_issuer_is_asked_as_entra_does(server):
    server.said["/x/.well-known/openid-configuration"] = {
        "issuer": "named",
        "jwks_uri": f"{server.url}/keys",
    }
    server.said["/keys"] = {"keys": [{"kid": "one"}, {"kty": "RSA"}]}

    found = await entra.discover(server.http, f"{server.url}/x/")

    assert (found.issuer, found.keys) == ("named", frozenset({"one", ""}))
    assert {each[2] for each in server.seen} == {None}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (503, "answered 503"),
        ("text", "nothing is no https"),
        ({"jwks_uri": "http://plain/keys"}, "http://plain/keys is no https address"),
    ],
)
async def test_an_issuer_that_is_none_is_silent(server, document, words):
    server.said["/.well-known/openid-configuration"] = document
    with pytest.raises(entra.SilentError, match=words):
        await entra.discover(server.http, server.url)


async def test_an_issuer_that_cannot_be_reached_is_silent():
    async with aiohttp.ClientSession() as http:
        for url in ("http://issuer", "https://127.0.0.1:1/"):
            with pytest.raises(entra.SilentError):
                await entra.discover(http, url)


async def test_a_tenants_name_is_one_segment(server):
    where = "/a%2F..%2Fb/v2.0/.well-known/openid-configuration"
    server.said["/a/../b/v2.0/.well-known/openid-configuration"] = {"issuer": "i"}
    assert (await entra.tenancy(server.http, server.url, "a/../b")).at is not None
    assert server.seen[0][0] in {where, where.replace("%2F", "/")}


@pytest.mark.parametrize("said", [503, 302, "<html>sign in to this network", {"welcome": 1}])
async def test_who_does_not_answer_as_entra_says_nothing_of_a_tenant(server, said):
    server.said["/t/v2.0/.well-known/openid-configuration"] = said
    with pytest.raises(entra.SilentError, match="not as Entra does"):
        await entra.tenancy(server.http, server.url, "t")


@pytest.mark.parametrize(
    ("authority", "known"),
    [
        ("https://login.microsoftonline.com/", True),
        ("https://login.microsoftonline.us", True),
        ("https://own.example:8443/", True),
        ("https://own.example/", False),
        ("http://login.microsoftonline.com/", False),
        ("https://login.microsoftonline.com@elsewhere.example/", False),
        ("https://login.microsoftonline.com.elsewhere.example/", False),
        ("https://10.0.0.1/admin?do=", False),
        ("", False),
    ],
)
def test_a_pod_cannot_have_anybody_else_asked_than_entra(authority, known):
    assert is_entra(authority, "https://own.example:8443") is known


async def test_a_token_file_that_is_not_there_is_no_sign_in():
    class Gone:
        async def get_token(self, *_):
            raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(ClientAuthenticationError, match="TOKEN_FILE cannot be read: No such file"):
        await Held(Gone(), of_now).get_token("scope")


async def test_one_token_serves_all_clients():
    credential = Counting()
    held = Held(credential, of_now)
    tokens = {(await held.get_token("scope")).token for _ in "123"}
    assert tokens == {"token-1"}
    assert (await held.get_token("other")).token == "token-2"
    assert (await held.get_token("scope", claims="more")).token == "token-3"
