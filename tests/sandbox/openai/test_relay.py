"""Answers that come from an OpenAI-compatible server instead of the built-in model."""

from __future__ import annotations

import asyncio
import json

import openai
import pytest
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route


class Server:
    """An OpenAI-compatible server that notes requests and waits before its second frame."""

    def __init__(self) -> None:
        self.seen = []
        self.proceed = asyncio.Event()
        self.left = asyncio.Event()
        self.routes = [
            Route("/v1/chat/completions", self.answer, methods=["POST"]),
            Route("/v1/responses", self.answer, methods=["POST"]),
        ]

    async def answer(self, request):
        body = await request.json()
        self.seen.append((request.url.path, body, request.headers.get("authorization")))
        if body.get("fail"):
            return JSONResponse({"error": {"code": "broken"}}, 418)
        if body.get("stream"):
            return StreamingResponse(self.frames(), media_type="text/event-stream")
        return JSONResponse({"id": "1", "object": "chat.completion", "choices": []})

    async def frames(self):
        try:
            for n in (1, 2):
                delta = {"index": 0, "delta": {"content": f"{n}"}}
                yield f"data: {json.dumps({'id': '1', 'choices': [delta]})}\n\n".encode()
                await self.proceed.wait()
            yield b"data: [DONE]\n\n"
        finally:
            self.left.set()


@pytest.fixture
async def server():
    return Server()


@pytest.fixture
async def relayed(server, serve, emulate, new_account):
    async with (
        serve(server.routes) as base,
        emulate(new_account(upstream=f"{base}/v1/")) as emulator,
    ):
        yield emulator


async def test_a_body_is_relayed_with_the_deployment_as_its_model(relayed, server):
    got = await relayed.chat(model="CHAT", seed=7)
    assert got.json()["object"] == "chat.completion"
    assert got.headers["apim-request-id"]
    path, body, key = server.seen[0]
    assert path == "/v1/chat/completions"
    assert (body["model"], body["seed"], key) == ("chat", 7, None)
    await relayed.respond()
    assert server.seen[1][0] == "/v1/responses"


async def test_a_key_and_a_model_come_from_the_environment(server, serve, emulate, new_account):
    environment = {"UPSTREAM_API_KEY": "key", "UPSTREAM_MODEL": "llama"}
    async with (
        serve(server.routes) as base,
        emulate(new_account(upstream=f"{base}/v1"), environment=environment) as emulator,
    ):
        await emulator.http.post(
            "deployments/chat/chat/completions?api-version=2024-10-21", json={"messages": []}
        )
    _, body, key = server.seen[0]
    assert (body["model"], key) == ("llama", "Bearer key")


async def test_a_stream_is_passed_on_as_it_arrives(relayed, server):
    stream = await relayed.client.chat.completions.create(
        model="chat", messages=[{"role": "user", "content": "x"}], stream=True
    )
    arriving = aiter(stream)
    assert (await anext(arriving)).choices[0].delta.content == "1"
    server.proceed.set()
    assert [chunk.choices[0].delta.content async for chunk in arriving] == ["2"]


async def test_a_client_that_leaves_ends_the_request_to_the_server(relayed, server):
    stream = await relayed.client.chat.completions.create(
        model="chat", messages=[{"role": "user", "content": "x"}], stream=True
    )
    await anext(aiter(stream))
    await stream.close()
    await asyncio.wait_for(server.left.wait(), 30)


async def test_errors_of_the_server_are_passed_on(relayed):
    got = await relayed.chat(fail=True)
    assert got.status_code == 418
    assert got.json() == {"error": {"code": "broken"}}


async def test_deployments_are_still_those_of_the_account(relayed, server):
    with pytest.raises(openai.NotFoundError):
        await relayed.client.chat.completions.create(model="nope", messages=[])
    assert server.seen == []


async def test_a_server_that_is_away_is_a_bad_gateway(emulate, new_account):
    async with emulate(new_account(upstream="http://127.0.0.1:9/v1")) as emulator:
        got = await emulator.chat()
    assert got.status_code == 502
    assert "http://127.0.0.1:9/v1/chat/completions" in got.json()["error"]["message"]
