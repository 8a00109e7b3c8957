"""A chatbot that takes tokens of this Entra: two readings of what a token is."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from chatbot_app.access.keys import Keys, entra
from chatbot_app.access.tokens import ProvenByToken
from chatbot_app.denials import DeniedError
from chatbot_app.settings import EntraToken
from chatbot_app.trust import trust
from sandbox.azure import settings as fixed

TERMS = EntraToken(
    audiences=("api://bot",),
    tenant=fixed.TENANT,
    authority="",
    header="Authorization",
    groups=frozenset(),
    peers=(),
)


@pytest.fixture
def keys(azure):
    fetch = entra(azure.url, fixed.TENANT, trusted=trust(str(azure.ca)))
    return Keys(fetch, clock=time.monotonic, sleep=asyncio.sleep, random=lambda: 0.5)


async def refusal(keys, token, terms=TERMS):
    scope = {"headers": [(b"authorization", f"Bearer {token}".encode())], "client": ("::1", 1)}
    with pytest.raises(DeniedError) as caught:
        await ProvenByToken(terms, keys).user(scope)
    return caught.value.denial


async def test_its_token_is_an_applications_and_right_in_everything_else(keys, azure):
    token = (await azure.token("api://bot/.default")).json()["access_token"]
    denial = await refusal(keys, token)
    assert (denial.status, "application" in denial.message) == (403, True)
    elsewhere = await refusal(keys, token, replace(TERMS, audiences=("api://another",)))
    assert "another application" in elsewhere.message
    assert (await refusal(keys, token[:-9] + "A" * 9)).status == 401
