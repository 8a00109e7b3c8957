"""Talking to a chatbot as a program does."""

from __future__ import annotations

import json
import time

import httpx2

HI = {"messages": [{"role": "user", "content": "Hi"}]}


def events(text):
    frames = [frame for frame in text.split("\n\n") if frame.startswith("event: ")]
    pairs = [frame.removeprefix("event: ").split("\ndata: ") for frame in frames]
    return [(name, json.loads(data)) for name, data in pairs]


def post(chatbot, body=HI, **headers):
    return httpx2.post(f"{chatbot.page}api/chat", json=body, headers=headers, timeout=60)


def wait_until(happened):
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)
