"""Chat completions, as the openai client and as the wire sees them."""

from __future__ import annotations

import json

from openai import AsyncAzureOpenAI

SAFE = {"filtered": False, "severity": "safe"}
VERDICT = {"hate": SAFE, "self_harm": SAFE, "sexual": SAFE, "violence": SAFE}
HELLO = [{"role": "user", "content": "hello"}]


def frames(body: str) -> list:
    lines = [line.removeprefix("data: ") for line in body.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


async def test_the_client_gets_an_answer(emulator):
    got = await emulator.client.chat.completions.create(model="chat", messages=HELLO)
    assert got.choices[0].message.content == "Hello! How can I help you?"
    assert got.choices[0].finish_reason == "stop"
    assert got.model == "gpt-4o-2024-08-06"
    assert got.usage.total_tokens == got.usage.prompt_tokens + got.usage.completion_tokens


async def test_a_body_carries_the_verdicts_of_the_content_filter(emulator):
    body = (await emulator.chat()).json()
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["content_filter_results"] == VERDICT
    assert body["prompt_filter_results"] == [
        {
            "prompt_index": 0,
            "content_filter_results": {
                **VERDICT,
                "jailbreak": {"detected": False, "filtered": False},
            },
        }
    ]


async def test_the_client_reads_a_stream_that_remembers(emulator):
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "My name is Ada."}]},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "What is my name?"},
    ]
    stream = await emulator.client.chat.completions.create(
        model="chat", messages=messages, stream=True
    )
    said = [c.choices[0].delta.content or "" async for c in stream if c.choices]
    assert "".join(said) == "Your name is **Ada**."
    assert len([piece for piece in said if piece]) == 4


async def test_a_stream_has_the_frames_of_azure(emulator):
    got = await emulator.chat(stream=True, stream_options={"include_usage": True})
    assert got.headers["content-type"].startswith("text/event-stream")
    verdict, role, *tokens, finish, usage = frames(got.text)
    assert verdict["choices"] == []
    assert verdict["prompt_filter_results"][0]["content_filter_results"]["hate"] == SAFE
    assert (verdict["id"], verdict["model"], verdict["object"], verdict["created"]) == (
        "",
        "",
        "",
        0,
    )
    assert role["choices"][0]["delta"] == {"content": "", "refusal": None, "role": "assistant"}
    assert role["object"] == "chat.completion.chunk"
    assert role["id"].startswith("chatcmpl-")
    assert {f["choices"][0]["content_filter_results"] == VERDICT for f in tokens} == {True}
    assert (
        "".join(f["choices"][0]["delta"]["content"] for f in tokens) == "Hello! How can I help you?"
    )
    assert {f["choices"][0]["finish_reason"] for f in [role, *tokens]} == {None}
    assert {f["usage"] for f in [role, *tokens, finish]} == {None}
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert finish["choices"][0]["delta"] == {}
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == 7


async def test_a_stream_tells_its_usage_only_when_asked(emulator):
    got = frames((await emulator.chat(stream=True)).text)
    assert "usage" not in got[-1]
    assert got[-1]["choices"][0]["finish_reason"] == "stop"


async def test_a_token_is_four_bytes(emulator):
    usage = (await emulator.chat("é" * 10, max_completion_tokens=5)).json()["usage"]
    assert usage["prompt_tokens"] == 5 + 4
    assert usage["completion_tokens"] == 5


async def test_a_limit_ends_the_answer_early(emulator):
    for name in ("max_completion_tokens", "max_tokens"):
        got = (await emulator.chat("a long answer", **{name: 10})).json()
        assert got["choices"][0]["finish_reason"] == "length"
        assert len(got["choices"][0]["message"]["content"]) == 40
    streamed = frames((await emulator.chat("long", stream=True, max_completion_tokens=3)).text)
    assert streamed[-1]["choices"][0]["finish_reason"] == "length"


async def test_a_filtered_answer_ends_early(emulator):
    got = (await emulator.chat("Please filter the answer")).json()["choices"][0]
    assert got["finish_reason"] == "content_filter"
    assert got["content_filter_results"]["violence"]["filtered"] is True


async def test_the_classic_path_answers_the_azure_client(emulator):
    async def token() -> str:
        return "a-token"

    async with AsyncAzureOpenAI(
        azure_endpoint=emulator.url.removesuffix("/openai/"),
        api_version="2024-10-21",
        azure_ad_token_provider=token,
        max_retries=0,
    ) as client:
        got = await client.chat.completions.create(model="chat", messages=HELLO)
    assert got.choices[0].message.content == "Hello! How can I help you?"


async def test_admission_is_asked_for_the_action_and_the_operation(emulator):
    await emulator.chat()
    await emulator.respond()
    await emulator.http.get("v1/models")
    actions = "Microsoft.CognitiveServices/accounts/OpenAI"
    assert emulator.account.asked == [
        (
            "contoso",
            f"{actions}/deployments/chat/completions/action",
            "POST /openai/deployments/{deployment-id}/chat/completions",
        ),
        ("contoso", f"{actions}/responses/write", "POST /openai/v1/responses"),
        ("contoso", f"{actions}/models/read", "GET /openai/v1/models"),
    ]


async def test_who_is_not_admitted_learns_nothing_of_the_body_or_the_deployments(emulator):
    for path in (
        "v1/chat/completions",
        "v1/responses",
        "deployments/nope/chat/completions?api-version=1",
    ):
        got = await emulator.http.post(path, content="{", headers={"Authorization": "Bearer no"})
        assert got.status_code == 401
        assert got.json() == {"statusCode": 401, "message": "Unauthorized."}


async def test_answers_carry_the_headers_of_azure(emulator):
    headers = (await emulator.chat(stream=True)).headers
    assert headers["x-ratelimit-limit-tokens"] == "50000"
    assert headers["x-ratelimit-remaining-requests"] == "299"
    assert headers["x-ms-region"] == "Sandbox"
    assert headers["x-ms-deployment-name"] == "chat"
    assert headers["apim-request-id"]


async def test_models_are_those_of_the_deployments(emulator):
    listed = [model.id async for model in emulator.client.models.list()]
    assert "gpt-4o-2024-08-06" in listed
    assert (await emulator.client.models.retrieve("o3-mini-2025-01-31")).object == "model"
    missing = await emulator.http.get("v1/models/nope")
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "model_not_found"
