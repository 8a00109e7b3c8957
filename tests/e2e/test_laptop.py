"""The chatbot as `make chatbot` starts it, with the sign-in of the real `az` and nothing else.

`az` is looked for at $AZ, then where `make az` puts it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from background import running
from sandbox.azure import settings as fixed
from sandbox.azure.server import serve
from sandbox.azure.settings import Settings, Surroundings
from sandbox.azure.world import resource_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.azure.server import Emulator
    from sandbox.certificates import Authority

HOME = Path.home() / ".cache" / "chatbot-sandbox" / "az-2.91.0" / "bin" / "az"
ACCOUNT = resource_id(fixed.ACCOUNT_GROUP, "Microsoft.CognitiveServices/accounts", fixed.ACCOUNT)
ROLE = "Cognitive Services OpenAI User"
HI = {"messages": [{"role": "user", "content": "Hi"}]}


@dataclass
class Chatbot:
    """A running chatbot; `end` gives what else it wrote to the terminal."""

    process: subprocess.Popen[str]
    page: str

    def ask(self) -> list[tuple[str, dict[str, object]]]:
        answer = httpx2.post(f"{self.page}api/chat", json=HI, timeout=120)
        frames = [frame for frame in answer.text.split("\n\n") if frame.startswith("event: ")]
        pairs = [frame.removeprefix("event: ").split("\ndata: ") for frame in frames]
        return [(name, json.loads(data)) for name, data in pairs]

    def says(self) -> str:
        """The next line in the terminal, as soon as it is there."""
        assert self.process.stderr is not None
        return self.process.stderr.readline().strip()

    def end(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=60)[1]


@pytest.fixture(scope="module")
def program() -> Path:
    found = Path(os.environ.get("AZ", HOME))
    if not found.exists():
        pytest.skip(f"there is no az at $AZ or {HOME}")
    return found


@pytest.fixture(scope="module")
def emulator(authority: Authority) -> Iterator[Emulator]:
    certificate = authority.issue("laptop")
    surroundings = Surroundings(trust=authority.certificate)
    with running(serve(Settings(), certificate, surroundings=surroundings)) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def shell(program, authority, tmp_path_factory) -> dict[str, str]:
    """The environment of a terminal in which nobody is signed in."""
    return {
        "PATH": f"{program.parent}:/usr/bin:/bin",
        "HOME": str(tmp_path_factory.mktemp("home")),
        "AZURE_CONFIG_DIR": str(tmp_path_factory.mktemp("nobody")),
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "REQUESTS_CA_BUNDLE": str(authority.bundle),
        "SSL_CERT_FILE": str(authority.bundle),
    }


@pytest.fixture(scope="module")
def signed_in(shell, emulator, tmp_path_factory) -> dict[str, str]:
    """The same terminal after `az login` as the owner of the subscription."""
    variables = shell | {"AZURE_CONFIG_DIR": str(tmp_path_factory.mktemp("owner"))}
    url = emulator.url
    az(variables, "cloud", "register", "-n", "sandbox", "--endpoint-resource-manager", url)
    az(variables, "cloud", "set", "-n", "sandbox")
    owner = ("-u", fixed.OWNER_CLIENT_ID, "-p", fixed.OWNER_SECRET, "-t", fixed.TENANT)
    az(variables, "login", "--service-principal", *owner)
    return variables


def az(variables: dict[str, str], *arguments: str) -> None:
    done = subprocess.run(
        ["az", *arguments], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def no_role(emulator, authority) -> None:
    """The world as it was seeded: the owner may manage the account, not chat with it."""
    context = ssl.create_default_context(cafile=authority.certificate)
    assert httpx2.post(f"{emulator.url}/_emulator/reset", verify=context).status_code == 204


@pytest.fixture
def role(no_role, signed_in) -> None:
    az(
        *(signed_in, "role", "assignment", "create", "--role", ROLE, "--scope", ACCOUNT),
        *("--assignee-object-id", fixed.OWNER_OBJECT_ID),
        *("--assignee-principal-type", "ServicePrincipal"),
    )


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., Chatbot]]:
    """Starts a chatbot in a directory whose `.env` has the settings given by keyword."""
    with contextlib.ExitStack() as stack:

        def start(variables: dict[str, str], **settings: str) -> Chatbot:
            process = stack.enter_context(chatbot(tmp_path, variables, settings))
            stack.callback(process.kill)
            made = Chatbot(process, page="")
            event, _, made.page = made.says().partition(" page=")
            assert event == "listening"
            return made

        yield start


def chatbot(
    directory: Path, variables: dict[str, str], settings: dict[str, str]
) -> subprocess.Popen[str]:
    lines = [f"{name}={value}\n" for name, value in settings.items()]
    (directory / ".env").write_text("".join(lines))
    return subprocess.Popen(
        [sys.executable, "-m", "chatbot_app"],
        env=variables | {"PORT": "0"},
        cwd=directory,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def settings(emulator) -> dict[str, str]:
    return {
        "AZURE_OPENAI_ENDPOINT": f"{emulator.url}/{fixed.ACCOUNT}/",
        "AZURE_OPENAI_DEPLOYMENT": "gpt-4o",
        "TEMPERATURE": "0.2",
    }


def test_az_login_and_a_role_are_all_it_takes_to_chat(start, signed_in, role, settings):
    chatbot = start(signed_in, **settings)

    events = chatbot.ask()

    assert [name for name, _ in events].count("delta") > 1
    assert "".join(str(data["text"]) for name, data in events if name == "delta")
    assert events[-1] == ("done", {"finish": "stop", "leftOut": 0, "sent": 1})
    assert "Traceback" not in chatbot.end()


def test_the_older_names_of_endpoint_and_deployment_are_understood(
    start, signed_in, role, settings
):
    chatbot = start(
        signed_in,
        OPENAI_API_BASE=settings["AZURE_OPENAI_ENDPOINT"],
        DEPLOYMENT_NAME=settings["AZURE_OPENAI_DEPLOYMENT"],
    )

    assert chatbot.ask()[-1] == ("done", {"finish": "stop", "leftOut": 0, "sent": 1})


def test_a_gateway_without_v1_is_called_by_its_api_version(
    *, emulator, authority, start, signed_in, role, settings
):
    chatbot = start(signed_in, **settings, AZURE_OPENAI_API_VERSION="2024-10-21")

    assert chatbot.ask()[-1] == ("done", {"finish": "stop", "leftOut": 0, "sent": 1})
    context = ssl.create_default_context(cafile=authority.certificate)
    ledger = httpx2.get(f"{emulator.url}/_emulator/ledger", verify=context).json()
    asked = {entry["path"] for entry in ledger["entries"]}
    account = f"/{fixed.ACCOUNT}/openai"
    assert f"{account}/deployments/gpt-4o/chat/completions" in asked
    assert f"{account}/models" in asked


def test_a_missing_role_is_named_in_the_chat_and_beforehand_in_the_terminal(
    start, signed_in, no_role, settings
):
    chatbot = start(signed_in, **settings)

    beforehand = chatbot.says()
    (kind, error), done = chatbot.ask()

    assert (kind, error["reason"]) == ("error", "PermissionDenied")
    assert f"role “{ROLE}”" in error["message"]
    assert done == ("done", {"finish": "error", "leftOut": 0, "sent": 1})
    assert error["message"] == beforehand
    assert "Traceback" not in chatbot.end()


def test_a_deployment_that_does_not_exist_is_named(start, signed_in, role, settings):
    chatbot = start(signed_in, **settings | {"AZURE_OPENAI_DEPLOYMENT": "gpt-none"})

    (_, error), _ = chatbot.ask()

    assert error["reason"] == "DeploymentNotFound"
    assert "“gpt-none” does not exist" in error["message"]


def test_without_a_sign_in_the_page_is_there_and_asks_for_az_login(start, shell, settings):
    chatbot = start(shell, **settings)

    assert "<html" in httpx2.get(chatbot.page).text
    beforehand = chatbot.says()
    (kind, error), _ = chatbot.ask()

    assert (kind, error["reason"]) == ("error", "NotSignedIn")
    assert "Run `az login` in a terminal" in error["message"]
    assert error["message"] == beforehand
    assert "Traceback" not in chatbot.end()


def test_a_machine_without_az_is_told_so(start, shell, settings):
    chatbot = start(shell | {"PATH": "/nowhere"}, **settings)

    (_, error), _ = chatbot.ask()

    assert error["reason"] == "NotSignedIn"
    assert "Azure CLI not found on path" in error["message"]


def test_a_senseless_choice_of_credentials_is_told_in_words(start, shell, settings):
    chatbot = start(shell | {"AZURE_TOKEN_CREDENTIALS": "hope"}, **settings)

    (_, error), _ = chatbot.ask()

    assert error["reason"] == "NotSignedIn"
    assert "Invalid value for AZURE_TOKEN_CREDENTIALS: hope" in error["message"]
    assert "Traceback" not in chatbot.end()


def test_nobody_waits_for_a_managed_identity_that_a_laptop_does_not_have(start, shell, settings):
    with socket.create_server(("127.0.0.1", 0)) as metadata:
        address = f"http://127.0.0.1:{metadata.getsockname()[1]}"
        chatbot = start(shell | {"AZURE_POD_IDENTITY_AUTHORITY_HOST": address}, **settings)

        assert chatbot.ask()[0][1]["reason"] == "NotSignedIn"

        metadata.settimeout(0)
        with pytest.raises(BlockingIOError):
            metadata.accept()


def test_without_settings_it_names_all_that_is_missing_and_what_to_do(shell, tmp_path):
    with chatbot(tmp_path, shell, {"TEMPERATURE": "hot"}) as process:
        terminal = process.communicate(timeout=60)[1]

    assert process.returncode == 2
    for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT", "TEMPERATURE"):
        assert name in terminal
    for advice in ("https://NAME.openai.azure.com/", ".env", "`az login`"):
        assert advice in terminal
    assert "Traceback" not in terminal
