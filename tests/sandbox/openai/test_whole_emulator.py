"""The way of a caller through the whole emulator: Entra, ARM, and then the data plane."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import uuid
from dataclasses import dataclass

import httpx2
import openai
import pytest
from sandbox.azure import settings as fixed
from sandbox.azure.server import serve
from sandbox.azure.settings import Settings
from sandbox.azure.world import resource_id, role_definition_id
from sandbox.certificates import create_authority

ACCOUNT = resource_id(fixed.ACCOUNT_GROUP, "Microsoft.CognitiveServices/accounts", fixed.ACCOUNT)
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
HELLO = [{"role": "user", "content": "hello"}]


@dataclass(frozen=True)
class Owner:
    """The sandbox's owner, who may manage the account but starts without any data action."""

    http: httpx2.AsyncClient
    client: openai.AsyncOpenAI

    async def token(self, resource: str) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": fixed.OWNER_CLIENT_ID,
            "client_secret": fixed.OWNER_SECRET,
            "scope": f"{resource}/.default",
        }
        got = await self.http.post(f"/{fixed.TENANT}/oauth2/v2.0/token", data=form)
        return got.json()["access_token"]

    async def take_role(self) -> None:
        got = await self.http.put(
            f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}",
            params={"api-version": "2022-04-01"},
            headers={"Authorization": f"Bearer {await self.token(fixed.ARM_AUDIENCE)}"},
            json={
                "properties": {
                    "roleDefinitionId": role_definition_id(OPENAI_USER),
                    "principalId": fixed.OWNER_OBJECT_ID,
                    "principalType": "ServicePrincipal",
                }
            },
        )
        assert got.status_code == 201, got.text

    async def chat(self, **more) -> openai.AsyncStream:
        return await self.client.chat.completions.create(
            model="gpt-4o", messages=HELLO, stream=True, **more
        )


@pytest.fixture
async def owner(tmp_path):
    authority = create_authority(tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(serve(Settings(), authority.issue("azure")))
        trust = ssl.create_default_context(cafile=authority.certificate)
        http = httpx2.AsyncClient(base_url=emulator.url, verify=trust, trust_env=False)
        await stack.enter_async_context(http)

        async def token() -> str:
            return await owner.token("https://cognitiveservices.azure.com")

        client = openai.AsyncOpenAI(
            base_url=f"{emulator.url}/{fixed.ACCOUNT}/openai/v1/",
            api_key=token,
            max_retries=0,
            http_client=http,
        )
        owner = Owner(http, client)
        yield owner


async def test_a_role_given_through_arm_opens_the_chat(owner):
    with pytest.raises(openai.AuthenticationError) as caught:
        await owner.chat()
    assert caught.value.code == "PermissionDenied"
    assert caught.value.body["message"] == (
        f"The principal `{fixed.OWNER_OBJECT_ID}` lacks the required data action "
        "`Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` "
        "to perform `POST /openai/deployments/{deployment-id}/chat/completions` operation."
    )
    await owner.take_role()
    said = [c.choices[0].delta.content or "" async for c in await owner.chat() if c.choices]
    assert "".join(said) == "Hello! How can I help you?"
    answered = await owner.client.responses.create(model="gpt-4o-mini", input="which model?")
    assert "**gpt-4o-mini**" in answered.output_text
    assert [m.id async for m in owner.client.models.list()] == [
        "gpt-4o-2024-08-06",
        "gpt-4o-mini-2024-07-18",
    ]


async def test_a_client_that_leaves_ends_its_request(owner):
    await owner.take_role()
    await owner.http.patch("/_emulator/settings", json={"latency_first_token": 3600})
    stream = await owner.chat()
    await anext(aiter(stream))
    assert await chats(owner) == []
    await stream.close()
    async with asyncio.timeout(60):
        while not await chats(owner):
            await asyncio.sleep(0.05)


async def chats(owner: Owner) -> list[str]:
    """Paths of the chat requests that are over."""
    entries = (await owner.http.get("/_emulator/ledger")).json()["entries"]
    return [e["path"] for e in entries if e["path"].endswith("/chat/completions")]
