"""The demo: no settings, no Azure, no network, and it says what it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import httpx2
import openai
import pytest
from chatbot.conftest import started
from chatbot.talking import events, post
from chatbot_app.completions import Delta, Finish, Sampling, Usage
from chatbot_app.demo import Demo, reply
from test_contract import VARIABLES

BARE = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def talk(*texts, system=""):
    """A conversation in which the answers do not matter."""
    first = [{"role": "system", "content": system}] if system else []
    return first + [{"role": "user", "content": text} for text in texts]


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (["My name is Ada.", "Hello", "What's my name?"], "Your name is **Ada**."),
        (["my name is Eve", "My name is Ada!", "what is my name"], "Your name is **Ada**."),
        (["What is my name?"], "have not told me what your name is"),
        (["My favourite colour is green"], "your favourite colour is **green**"),
        (["Show me a table"], "|:--"),
        (["Some code, please"], "```python"),
        (["Something long"], "### Part 10"),
        (["One\ntwo"], "> One\n> two"),
        (["a", "b"], "question 2"),
    ],
)
def test_it_remembers_and_shows_what_the_page_can_show(said, part):
    assert part in reply(talk(*said))


def test_it_follows_its_instructions_visibly():
    assert "> Be brief." in reply(talk("Hi", system="Be brief."))


@pytest.mark.parametrize("text", ["?", "my is", "x" * 10**6, "my " * 10**5, "> " * 10**5])
def test_nothing_that_is_said_confuses_it(text):
    assert reply(talk(text, text))


async def test_its_pieces_are_the_reply():
    async def sleep(_):
        pass

    said = [event async for event in Demo(sleep).stream(talk("A list, please"), Sampling())]
    *pieces, usage, finish = said
    assert "".join(piece.text for piece in pieces) == reply(talk("A list, please")).rstrip()
    assert len(pieces) > 10
    assert (usage, finish) == (Usage(4, len(pieces)), Finish("stop"))
    few = Sampling(max_output_tokens=2)
    short = [event async for event in Demo(sleep).stream(talk("A list, please"), few)]
    assert [type(event) for event in short] == [Delta, Delta, Usage, Finish]
    assert short[-1] == Finish("length")


@pytest.fixture
def demo(tmp_path, upstream):
    """A demo in an environment in which everything else would lead to an account."""
    leads = {
        "AZURE_OPENAI_ENDPOINT": upstream.address,
        "AZURE_AUTHORITY_HOST": upstream.address,
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token"),
        "OPS_PORT": "0",
    }
    environment = BARE | leads | {"PORT": "0", "CHAT_API": "openai", "CHAT_DISCLAIMER": "None."}
    process = started(environment, tmp_path, "--demo")
    yield process
    process.kill()


def test_it_answers_and_asks_nobody(demo, upstream):
    told = events(post(demo, {"messages": talk("Hi")}).text)
    assert told[-1][1]["finish"] == "stop"
    assert "> Hi" in "".join(data["text"] for name, data in told if name == "delta")
    client = openai.OpenAI(base_url=f"{demo.page}v1", api_key="any", max_retries=0)
    completion = client.chat.completions.create(model="demo", messages=talk("My dog is Rex"))
    assert "Rex" in completion.choices[0].message.content
    assert upstream.exchanges == upstream.reads == upstream.chats == []


def test_it_says_what_it_is(demo):
    config = httpx2.get(f"{demo.page}api/config").json()
    assert config["demo"] is True
    assert config["title"] == "Demo"
    assert "not a language model" in config["disclaimer"]


def test_it_is_for_this_machine(demo):
    foreign = {"Host": "evil.example"}
    assert post(demo, {"messages": talk("Hi")}, **foreign).status_code == 403


def test_it_needs_no_settings(tmp_path):
    process = started(BARE | {"PORT": "0"}, tmp_path, "--demo")
    assert httpx2.get(process.page).status_code == 200
    assert process.probes == ""
    process.end()
    assert process.popen.returncode == 0


def run(tmp_path, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "chatbot_app", *arguments],
        env=BARE,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_setting_makes_a_demo(tmp_path):
    assert run(tmp_path).returncode == 2


def test_help_names_settings_of_the_contract(tmp_path):
    told = run(tmp_path, "--help")
    assert told.returncode == 0
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b|\bHOST\b|\bPORT\b", told.stdout))
    assert named <= VARIABLES.keys()
    assert {"AZURE_OPENAI_ENDPOINT", "CHAT_TITLE", "CHAT_API"} <= named
    assert "--demo" in told.stdout


def test_what_is_not_understood_is_told(tmp_path):
    told = run(tmp_path, "--deno")
    assert told.returncode == 2
    assert "--deno" in told.stderr
