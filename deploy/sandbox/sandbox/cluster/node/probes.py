"""Startup, readiness and liveness probes, with the kubelet's periods and thresholds."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sandbox.cluster.api import Object

_GOOD = range(200, 400)


async def outcomes(probe: Object, check: Callable[[], Awaitable[bool]]) -> AsyncIterator[bool]:
    """Run a probe for ever: True or False whenever a threshold is reached or stays passed."""
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    needed = {True: probe.get("successThreshold", 1), False: probe.get("failureThreshold", 3)}
    last, run = True, 0
    while True:
        try:
            async with asyncio.timeout(probe.get("timeoutSeconds", 1)):
                passed = await check()
        except TimeoutError:
            passed = False
        last, run = passed, run + 1 if passed == last else 1
        if run >= needed[passed]:
            yield passed
        await asyncio.sleep(probe.get("periodSeconds", 10))


async def check(probe: Object, *, container: Object, address: str) -> bool:
    """One HTTP or TCP probe."""
    if action := probe.get("httpGet"):
        port = port_of(container, action["port"])
        host = action.get("host") or address
        scheme = action.get("scheme", "HTTP").lower()
        headers = {each["name"]: each["value"] for each in action.get("httpHeaders") or []}
        return await _answers(f"{scheme}://{host}:{port}{action.get('path', '/')}", headers)
    action = probe["tcpSocket"]
    port = port_of(container, action["port"])
    try:
        _, writer = await asyncio.open_connection(action.get("host") or address, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def port_of(container: Object, port: int | str) -> int:
    """A port number, from a number or from the name of one of the container's ports."""
    for each in container.get("ports") or []:
        if each.get("name") == port:
            return int(each["containerPort"])
    return int(port)


async def _answers(url: str, headers: dict[str, str]) -> bool:
    try:  # without verification, as the kubelet
        async with (
            aiohttp.ClientSession(headers={"User-Agent": "kube-probe/1.36"} | headers) as session,
            session.get(url, ssl=False, allow_redirects=False) as response,
        ):
            return response.status in _GOOD
    except (aiohttp.ClientError, OSError):
        return False
