"""What `make bench` is made of can be imported, reads its arguments, and judges by the bounds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from benchmarks.__main__ import parse
from benchmarks.account import TOKEN, Account, Wish
from benchmarks.table import Row, markdown
from benchmarks.wire import connected


def test_the_pythons_to_measure_are_named():
    chosen = parse(["--chatbot", "a/bin/python", "--gradio", "/b/bin/python", "--markdown"])
    assert chosen.chatbot == Path("a/bin/python").absolute()
    assert chosen.gradio == Path("/b/bin/python")
    assert chosen.markdown


def test_without_them_nothing_is_measured(capsys):
    with pytest.raises(SystemExit):
        parse([])
    assert "--chatbot, --gradio" in capsys.readouterr().err


def test_a_broken_bound_is_told():
    rows = [
        Row("a", "1", bound="2", kept=True),
        Row("b", "3", bound="2", kept=False),
        Row("c", "4"),
    ]
    assert [row.verdict for row in rows] == ["kept", "BROKEN", ""]
    assert "| b | 3 |  |  | 2 | BROKEN |" in markdown(rows, "load 1").splitlines()


async def test_the_account_says_as_many_tokens_as_are_wished():
    server = await asyncio.get_running_loop().create_server(Account, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    body = b'{"messages": [{"role": "user", "content": %s}]}'
    wish = Wish(tokens=3, first=0.0, every=0.0).message().replace('"', '\\"').encode()
    async with connected(f"http://127.0.0.1:{port}/") as wire:
        response = await wire.ask(
            "/openai/v1/chat/completions", body % b'"%b"' % wish, mark=TOKEN.encode()
        )
    server.close()
    assert response.marks == 3
    assert response.first is not None
