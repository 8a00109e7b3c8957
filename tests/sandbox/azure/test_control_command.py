"""The emulator as a program of its own."""

import asyncio
import signal
import ssl
import sys

import httpx2
from sandbox.azure import settings as fixed


async def test_the_command_tells_where_everything_is_and_stops_when_asked(tmp_path, issuer):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox.azure", "--port", "0"),
        *("--directory", str(tmp_path), "--issuer", issuer.url),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        lines = [(await process.stdout.readline()).decode() for _ in range(11)]
        table = dict(line.strip().split("  ", 1) for line in lines)
        context = ssl.create_default_context(cafile=table["CA"].strip())
        async with httpx2.AsyncClient(verify=context) as http:
            state = (await http.get(table["control API"].strip())).json()
    finally:
        process.send_signal(signal.SIGTERM)
        status = await process.wait()

    assert state["tenant"] == table["tenant"].strip() == fixed.TENANT
    assert state["clusters"][0]["issuer"] == issuer.url
    assert table["account"].strip() == state["accounts"][0]["id"]
    assert status == 0
