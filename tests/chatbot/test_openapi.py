"""The interface as a document: valid, complete, and true of what is really answered."""

from __future__ import annotations

import copy
import json
from typing import Any

import httpx2
import pytest
from chatbot.conftest import unprobed
from chatbot.directory import AUDIENCE, TENANT
from chatbot.talking import HI, events, post
from chatbot.upstream import FILTERED, THROTTLED, Refuse, Say
from chatbot_app.answering import Chat, Texts
from chatbot_app.app import WEB
from chatbot_app.memory import Memory
from chatbot_app.reasons import ChatReason, Reason
from chatbot_app.routes import page
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from starlette.routing import Route

DOCUMENT: dict[str, Any] = json.loads((WEB / "openapi.json").read_text())
BODY = {"model": "chatbot", **HI}
OF_STARTING = {
    Reason.STARTING,
    Reason.WAITING_FOR_CREDENTIAL,
    Reason.PROVEN,
    Reason.WRONG_PRINCIPAL,
    Reason.MISCONFIGURED,
}
"""Of the proof alone: no chat ends with them."""


def closed(schema: Any) -> Any:
    """A schema that forbids what it does not name, so that nothing is answered that is not in it."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    return made | {"additionalProperties": False} if "properties" in schema else made


def check(answer: Any, schema: dict[str, Any]) -> None:
    whole = closed(copy.deepcopy(schema)) | {
        "components": {"schemas": closed(DOCUMENT["components"]["schemas"])}
    }
    Draft202012Validator(whole).validate(answer)


def check_response(response: httpx2.Response, path: str) -> None:
    """Compare a response with what the document says of its status and type."""
    (operation,) = DOCUMENT["paths"][path].values()
    said = operation["responses"][str(response.status_code)]
    kind = response.headers["content-type"].partition(";")[0]
    if kind == "application/json":
        check(response.json(), said["content"][kind]["schema"])
        if response.status_code != 503:
            assert (response.status_code == 429) is ("retry-after" in response.headers)
        return
    assert kind in said["content"]
    for name, data in streamed(response.text):
        check(data, said["x-events"][name])


def streamed(text: str) -> list[tuple[str, Any]]:
    if text.startswith("event: "):
        return events(text)
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line]
    return [("data", json.loads(line)) for line in lines if line != "[DONE]"]


@pytest.fixture(scope="module")
def served(authority, tmp_path_factory):
    """One chatbot with all its interfaces, behind a sign-in."""
    settings = {
        "CHAT_API": "openai",
        "CONTEXT_WINDOW": "8000",
        "CHAT_STARTERS": '["Why?"]',
        "ACCESS_USER_HEADER": "X-User",
        "ACCESS_TRUSTED_PEERS": "127.0.0.1/32",
    }
    with unprobed(authority, tmp_path_factory.mktemp("document"), **settings) as running:
        yield running


@pytest.fixture
def upstream(served):
    served[1].forget()
    return served[1]


@pytest.fixture
def chatbot(served, upstream):
    return served[0]


def ask(chatbot, path, *, user="ada", **how):
    headers = {"X-User": user} | how.pop("headers", {})
    return httpx2.request(
        how.pop("method", "POST"), f"{chatbot.page}{path[1:]}", headers=headers, **how
    )


def test_the_document_is_valid_and_served(chatbot):
    validate(DOCUMENT)
    served = ask(chatbot, "/openapi.json", method="GET")
    assert served.json() == DOCUMENT
    assert served.headers["content-type"] == "application/json"


def test_every_route_is_in_the_document():
    async def never(*_):
        raise AssertionError

    chat = Chat(
        texts=Texts("Ada"),
        deployment="gpt",
        system_prompt="",
        memory=Memory(),
        model=never,  # type: ignore[arg-type]
        ended=print,
        words=str,
        now=never,  # type: ignore[arg-type]
    )
    routes = page(chat, web=WEB, local_only=True, openai=True).routes
    paths = {route.path for route in routes if isinstance(route, Route)}
    assert paths - {"/v1/{rest:path}"} == DOCUMENT["paths"].keys()


def test_the_document_names_all_reasons_that_an_answer_can_have():
    named = set(DOCUMENT["components"]["schemas"]["Error"]["properties"]["reason"]["enum"])
    assert named == {str(reason) for reason in [*Reason, *ChatReason]} - OF_STARTING


def test_reading_is_as_documented(chatbot):
    for path in ("/api/config", "/v1/models"):
        for user in ("ada", ""):
            check_response(ask(chatbot, path, method="GET", user=user), path)
    for name in ("chatbot", "gpt-9"):
        found = ask(chatbot, f"/v1/models/{name}", method="GET")
        check_response(found, "/v1/models/{name}")


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "answers",
    [
        [],
        [THROTTLED],
        [FILTERED],
        [Refuse(400, {"error": {"code": "x"}})],
        [Refuse(500, {})] * 2,
        [Refuse(403, {})],
        [Say(("a",), finish="length")],
        [Say(("a",), finish="content_filter")],
        [Say(("a",), finish=None)],
    ],
)
def test_what_is_answered_is_as_documented(chatbot, upstream, path, stream, answers):
    upstream.answers = list(answers)
    body = HI if path == "/api/chat" else BODY | {"stream": stream}
    check_response(ask(chatbot, path, json=body, timeout=60), path)
    assert upstream.answers == []


def test_usage_in_a_stream_is_as_documented(chatbot):
    body = BODY | {"stream": True, "stream_options": {"include_usage": True}}
    answer = ask(chatbot, "/v1/chat/completions", json=body)
    check_response(answer, "/v1/chat/completions")
    assert "total_tokens" in answer.text


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
def test_what_is_refused_is_as_documented(chatbot, path):
    refused = [
        ask(chatbot, path, json=BODY, user=""),
        ask(chatbot, path, json=BODY, headers={"Origin": "https://evil.example"}),
        ask(chatbot, path, json={"model": "chatbot", "messages": []}),
        ask(chatbot, path, content=b"Hi"),
        ask(chatbot, path, json=BODY | {"messages": HI["messages"] * 40_000}),
    ]
    assert [response.status_code for response in refused] == [401, 403, 400, 415, 413]
    for response in refused:
        check_response(response, path)


def everywhere(chatbot, token):
    """Ask on every route with a token; give the statuses."""
    statuses = set()
    for path, (method,) in DOCUMENT["paths"].items():
        headers = {"Authorization": f"Bearer {token}".strip()}
        where = path.replace("{name}", "chatbot")
        refused = ask(chatbot, where, method=method.upper(), json=BODY, headers=headers)
        check_response(refused, path)
        statuses.add(refused.status_code)
    return statuses


def test_sign_ins_are_as_documented(launch, upstream):
    directory = upstream.directory
    directory.forget()
    tokens = {"ACCESS_TOKEN_AUDIENCES": AUDIENCE, "ACCESS_TOKEN_TENANT": TENANT}
    chatbot = launch(CHAT_API="openai", OPS_PORT=None, **tokens)
    assert everywhere(chatbot, "") == {401}
    assert everywhere(chatbot, directory.token(exp=1)) == {401}
    assert everywhere(chatbot, directory.token(idtyp="app")) == {403}
    assert everywhere(chatbot, directory.token()) == {200}
    directory.down = True
    chatbot = launch(CHAT_API="openai", OPS_PORT=None, **tokens)
    assert everywhere(chatbot, directory.token()) == {503}


def test_limits_are_as_documented(launch):
    limits = {"CHAT_API": "openai", "DAILY_TOKEN_BUDGET": "14", "OPS_PORT": None}
    chatbot = launch(**limits)
    post(chatbot)
    for path in ("/api/chat", "/v1/chat/completions"):
        refused = ask(chatbot, path, json=BODY)
        assert refused.status_code == 429
        check_response(refused, path)


def test_an_interface_that_is_off_is_as_documented(laptop):
    for path, method in (("/v1/models", "GET"), ("/v1/chat/completions", "POST")):
        off = ask(laptop[0], path, method=method)
        assert off.status_code == 404
        check_response(off, path)


@pytest.mark.parametrize("name", ["Conversation", "CompletionRequest"])
def test_what_is_asked_here_is_a_request_of_the_document(name):
    check(HI if name == "Conversation" else BODY, {"$ref": f"#/components/schemas/{name}"})
