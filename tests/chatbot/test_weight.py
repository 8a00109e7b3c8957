"""What is in memory, and what is not: `make bench` measures it, this names what it consists of."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"azure", "cryptography", "jwt", "msal", "opentelemetry", "requests", "urllib3"}


def loaded(module: str) -> set[str]:
    """The packages that a process has after an import."""
    program = f"import {module}, json, sys; print(json.dumps(list(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return {name.partition(".")[0] for name in json.loads(ended.stdout)}


def test_a_chatbot_at_rest_has_nothing_that_only_an_exchange_needs():
    assert loaded("chatbot_app.command") & HEAVY == set()


@pytest.mark.parametrize("package", ["openai", "pydantic", "starlette", "asyncio"])
def test_an_exchange_has_nothing_that_only_a_chatbot_needs(package):
    assert package not in loaded("chatbot_app.exchange")
