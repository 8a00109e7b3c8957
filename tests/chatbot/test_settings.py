from __future__ import annotations

import os
import subprocess
import sys

import pytest
from chatbot_app.settings import SettingsError, parse

NEEDED = {
    "AZURE_OPENAI_ENDPOINT": "https://acc.openai.azure.com/",
    "AZURE_OPENAI_DEPLOYMENT": "gpt",
}


def problems(environment):
    with pytest.raises(SettingsError) as caught:
        parse(environment)
    return {problem.name: problem.complaint for problem in caught.value.problems}


def test_two_settings_are_enough():
    settings = parse(NEEDED)
    assert (settings.host, settings.port, settings.ops_port) == ("127.0.0.1", 8087, None)
    assert settings.scope == "https://cognitiveservices.azure.com/.default"
    assert settings.temperature is None
    assert settings.max_output_tokens is None
    assert (settings.proof_delay, settings.proof_recheck) == (15, 300)
    assert settings.workload_identity is None


def test_starters_are_a_json_list_of_texts():
    assert parse(NEEDED | {"CHAT_STARTERS": '["Hi", "Why?"]'}).starters == ("Hi", "Why?")
    assert parse(NEEDED).starters == ()
    for wrong in ("Hi", '"Hi"', "[1]", "{}"):
        assert "JSON list" in problems(NEEDED | {"CHAT_STARTERS": wrong})["CHAT_STARTERS"]


def test_the_older_names_are_understood():
    settings = parse(
        {"OPENAI_API_BASE": "https://acc.openai.azure.com", "DEPLOYMENT_NAME": "gpt"}
        | {"TEMPERATURE": "0.7"}
    )
    assert settings.endpoint == "https://acc.openai.azure.com/"
    assert settings.deployment == "gpt"
    assert settings.temperature == 0.7


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("https://acc.openai.azure.com", "https://acc.openai.azure.com/"),
        ("https://acc.openai.azure.com/openai/v1/", "https://acc.openai.azure.com/"),
        ("https://127.0.0.1:8443/acc/", "https://127.0.0.1:8443/acc/"),
    ],
)
def test_an_endpoint_ends_with_one_slash(given, endpoint):
    assert parse(NEEDED | {"AZURE_OPENAI_ENDPOINT": given}).endpoint == endpoint


@pytest.mark.parametrize(
    "given",
    [
        "acc.openai.azure.com",
        "http://acc.openai.azure.com/",
        "https://",
        "https://a:b/",
        "https://x/?a=1",
    ],
)
def test_an_endpoint_is_an_https_address(given):
    assert (
        "https://NAME"
        in problems(NEEDED | {"AZURE_OPENAI_ENDPOINT": given})["AZURE_OPENAI_ENDPOINT"]
    )


def test_everything_wrong_is_named_at_once():
    wrong = problems({"TEMPERATURE": "warm", "PORT": "99999", "PROOF_DELAY_SECONDS": "-1"})
    assert set(wrong) == {
        "AZURE_OPENAI_ENDPOINT",
        "AZURE_OPENAI_DEPLOYMENT",
        "TEMPERATURE",
        "PORT",
        "PROOF_DELAY_SECONDS",
    }


@pytest.mark.parametrize("value", ["nan", "inf", "2.1", "-0.1", "1,5"])
def test_a_temperature_outside_its_range_is_refused(value):
    assert "TEMPERATURE" in problems(NEEDED | {"TEMPERATURE": value})


def test_an_empty_variable_counts_as_unset():
    assert parse(NEEDED | {"TEMPERATURE": "", "OPS_PORT": " "}).temperature is None


def test_a_missing_prompt_file_is_no_prompt(tmp_path):
    settings = parse(NEEDED | {"SYSTEM_PROMPT_FILE": str(tmp_path / "none")})
    assert settings.system_prompt == ""


def test_a_prompt_file_is_read(tmp_path):
    path = tmp_path / "prompt"
    path.write_text("Sei kurz — bitte.", encoding="utf-8")
    assert parse(NEEDED | {"SYSTEM_PROMPT_FILE": str(path)}).system_prompt == "Sei kurz — bitte."


def test_a_prompt_that_is_not_utf_8_is_a_problem(tmp_path):
    path = tmp_path / "prompt"
    path.write_bytes(b"\xff\xfe")
    assert "SYSTEM_PROMPT_FILE" in problems(NEEDED | {"SYSTEM_PROMPT_FILE": str(path)})


def run(tmp_path, **environment):
    return subprocess.run(
        [sys.executable, "-m", "chatbot_app"],
        env={"PATH": os.environ["PATH"]} | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_person_is_told_all_that_is_missing_and_what_to_do(tmp_path):
    ended = run(tmp_path)
    assert ended.returncode == 2
    assert "AZURE_OPENAI_ENDPOINT" in ended.stderr
    assert "AZURE_OPENAI_DEPLOYMENT" in ended.stderr
    assert ".env" in ended.stderr
    assert "az login" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_file_named_env_is_read_and_the_environment_wins(tmp_path):
    (tmp_path / ".env").write_text("AZURE_OPENAI_ENDPOINT=https://a/\nTEMPERATURE=9\n")
    ended = run(tmp_path, TEMPERATURE="hot")
    assert ended.returncode == 2
    assert "AZURE_OPENAI_ENDPOINT" not in ended.stderr
    assert "'hot'" in ended.stderr
