"""The Responses API."""

from __future__ import annotations

import json

ORDER = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


async def test_the_client_gets_a_response(emulator):
    got = await emulator.client.responses.create(
        model="chat", input="Who are you?", instructions="You are a pirate."
    )
    assert "> You are a pirate." in got.output_text
    assert got.status == "completed"
    assert got.model == "chat"
    assert got.usage.output_tokens > 0


async def test_the_client_reads_a_stream_of_events(emulator):
    stream = await emulator.client.responses.create(
        model="chat",
        input=[
            {"role": "user", "content": [{"type": "input_text", "text": "My name is Ada."}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]},
            {"role": "user", "content": "What is my name?"},
        ],
        stream=True,
    )
    events = [event async for event in stream]
    assert list(dict.fromkeys(event.type for event in events)) == ORDER
    deltas = [e.delta for e in events if e.type == "response.output_text.delta"]
    assert "".join(deltas) == events[-1].response.output_text == "Your name is **Ada**."
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_events_are_named_and_there_is_no_done(emulator):
    got = (await emulator.respond(stream=True)).text
    assert "[DONE]" not in got
    for block in got.strip().split("\n\n"):
        name, data = block.split("\n")
        assert json.loads(data.removeprefix("data: "))["type"] == name.removeprefix("event: ")


async def test_a_limit_makes_a_response_incomplete(emulator):
    got = (await emulator.respond("a long answer", max_output_tokens=16)).json()
    assert got["status"] == "incomplete"
    assert got["incomplete_details"] == {"reason": "max_output_tokens"}
    assert got["usage"]["output_tokens"] == 16
    streamed = (await emulator.respond("long", max_output_tokens=16, stream=True)).text
    assert "event: response.incomplete\n" in streamed


async def test_earlier_responses_cannot_be_continued(emulator):
    got = await emulator.respond(previous_response_id="resp_1")
    assert got.status_code == 400
    assert got.json()["error"]["code"] == "previous_response_not_found"


async def test_the_least_limit_is_16(emulator):
    error = (await emulator.respond(max_output_tokens=15)).json()["error"]
    assert error["message"] == (
        "Invalid 'max_output_tokens': integer below minimum value. "
        "Expected a value >= 16, but got 15 instead."
    )
