"""What the data plane refuses, word for word."""

from __future__ import annotations

import openai
import pytest

USER = {"role": "user", "content": "hello"}


async def test_an_unknown_deployment_is_not_found(emulator):
    with pytest.raises(openai.NotFoundError) as caught:
        await emulator.client.chat.completions.create(model="nope", messages=[USER])
    assert caught.value.code == "DeploymentNotFound"
    assert caught.value.body == {
        "code": "DeploymentNotFound",
        "message": (
            "The API deployment for this resource does not exist. If you created the deployment "
            "within the last 5 minutes, please wait a moment and try again."
        ),
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "v1/nope"),
        ("GET", "v1/chat/completions"),
        ("POST", "deployments/chat/chat/completions"),
        ("GET", "v1/responses/resp_1"),
    ],
)
async def test_other_paths_and_a_missing_api_version_are_not_found(emulator, method, path):
    got = await emulator.http.request(method, path)
    assert got.status_code == 404
    assert got.json() == {"error": {"code": "404", "message": "Resource not found"}}


@pytest.mark.parametrize(
    "raw", ["", "{", "[]", '"x"', "[" * 100_000, b"\xff", '{"model": NaN}', r'{"model": "\ud800"}']
)
async def test_a_body_that_is_no_json_object_is_refused(emulator, raw):
    for path in ("v1/chat/completions", "v1/responses"):
        got = await emulator.http.post(path, content=raw)
        assert got.status_code == 400
        message = got.json()["error"]["message"]
        assert message == "We could not parse the JSON body of your request."


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"model": None}, "model", "missing_required_parameter"),
        ({"model": 1}, "model", "invalid_type"),
        ({"messages": None}, "messages", "missing_required_parameter"),
        ({"messages": "hello"}, "messages", "invalid_type"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": ["x"]}, "messages[0]", "invalid_type"),
        ({"messages": [{"content": "x"}]}, "messages[0].role", "missing_required_parameter"),
        (
            {"messages": [USER, {"role": "boss", "content": "x"}]},
            "messages[1].role",
            "invalid_value",
        ),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "invalid_type"),
        (
            {"messages": [{"role": "user", "content": [1]}]},
            "messages[0].content[0]",
            "invalid_type",
        ),
        ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
        ({"temperature": -1}, "temperature", "decimal_below_min_value"),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"top_p": 1.5}, "top_p", "decimal_above_max_value"),
        ({"max_completion_tokens": 0}, "max_completion_tokens", "integer_below_min_value"),
        ({"max_tokens": 1.5}, "max_tokens", "invalid_type"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"stream_options": {"include_usage": True}}, "stream_options", None),
    ],
)
async def test_a_wrong_parameter_is_named(emulator, change, param, code):
    got = await emulator.chat(**change)
    assert got.status_code == 400
    error = got.json()["error"]
    assert (error["param"], error["code"]) == (param, code)


@pytest.mark.parametrize(
    ("deployment", "change", "message"),
    [
        (
            "thinker",
            {"temperature": 1},
            "Unsupported parameter: 'temperature' is not supported with this model.",
        ),
        (
            "thinker",
            {"max_tokens": 10},
            (
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead."
            ),
        ),
        (
            "five",
            {"temperature": 0.2},
            (
                "Unsupported value: 'temperature' does not support 0.2 with this model. "
                "Only the default (1) value is supported."
            ),
        ),
    ],
)
async def test_reasoning_models_refuse_what_others_take(emulator, deployment, change, message):
    got = await emulator.chat(model=deployment, **change)
    assert got.status_code == 400
    assert got.json()["error"]["message"] == message
    assert (await emulator.chat(model="chat", **change)).status_code == 200


async def test_reasoning_models_answer_within_their_own_parameters(emulator):
    assert (await emulator.chat(model="five", temperature=1)).status_code == 200
    assert (await emulator.chat(model="thinker", max_completion_tokens=9)).status_code == 200


async def test_a_prompt_can_be_filtered(emulator):
    with pytest.raises(openai.BadRequestError) as caught:
        await emulator.client.chat.completions.create(
            model="chat",
            messages=[{"role": "user", "content": "Trigger the content filter!"}, USER],
            stream=True,
        )
    error = caught.value.body
    assert error["code"] == "content_filter"
    assert error["param"] == "prompt"
    assert error["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    result = error["innererror"]["content_filter_result"]
    assert result["violence"] == {"filtered": True, "severity": "medium"}


async def test_a_conversation_must_fit_the_window(emulator):
    got = await emulator.chat("x" * 40_000, model="old")
    assert got.status_code == 400
    assert got.json()["error"] == {
        "message": (
            "This model's maximum context length is 8192 tokens. However, your messages resulted "
            "in 10004 tokens. Please reduce the length of the messages."
        ),
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
    both = await emulator.chat("x" * 400, model="old", max_tokens=8_100)
    assert "(104 in the messages, 8100 in the completion)" in both.json()["error"]["message"]


async def test_a_spent_minute_is_429_until_the_next(emulate, new_account):
    now = [1_000.0]
    async with emulate(new_account(), clock=lambda: now[0]) as emulator:
        assert (await emulator.chat("x" * 4_000, model="tiny")).status_code == 429
        codes = [(await emulator.chat(model="tiny")).status_code for _ in range(7)]
        assert codes == [200] * 6 + [429]
        now[0] += 15.5
        late = await emulator.chat(model="tiny")
        assert late.headers["retry-after"] == "45"
        assert late.json()["error"] == {
            "code": "429",
            "message": (
                "Your requests to tiny for gpt-4o-mini in Sandbox have exceeded the call rate limit "
                "for your current OpenAI S0 pricing tier. This request was for ChatCompletions_Create "
                "under Azure OpenAI API version v1. Please retry after 45 seconds."
            ),
        }
        now[0] += 45
        assert (await emulator.chat(model="tiny")).status_code == 200
