"""A port of this machine that leads to a pod: for each connection here, one there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final

from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.refused import words
from chatbot_operator.errors import KubernetesRefusal
from chatbot_operator.kube.pod_streams import Connection, PodUnreachable

HOST: Final = "127.0.0.1"
CHUNK = 2**16

QUIET_SECONDS = 5.0
"""For a pod to go on after whoever asked has said its last: it may be waiting, or gone.

Which of the two cannot be seen, and a pod cannot be told that no more will come. One that has gone
shows at the first byte for it; until then the answer would be made, and paid for, for nobody.
"""

Connect = Callable[[], AbstractAsyncContextManager[Connection]]


@asynccontextmanager
async def listening(
    connect: Connect, trouble: Callable[[str], None], *, port: int = 0
) -> AsyncIterator[int]:
    """Listen and give the port; 0 takes a free one.

    `trouble` is told, in words, why a connection could not be made or was cut off. Raises OSError.
    """
    carried: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_carry(reader, writer, connect, trouble))
        carried.add(task)
        task.add_done_callback(carried.discard)

    server = await asyncio.start_server(accept, HOST, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in carried:
            task.cancel()
        await asyncio.gather(*carried, return_exceptions=True)


async def _carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    connect: Connect,
    trouble: Callable[[str], None],
) -> None:
    try:
        async with connect() as pod:
            sending = asyncio.create_task(_send(reader, pod))
            try:
                await _receive(pod, writer, sending)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
    except (ConnectionError, TimeoutError):
        pass  # whoever asked has gone
    except (PodUnreachable, KubernetesRefusal, UnansweredError) as error:
        trouble(words(error))
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _send(reader: asyncio.StreamReader, pod: Connection) -> None:
    while data := await reader.read(CHUNK):
        await pod.write(data)


async def _receive(
    pod: Connection, writer: asyncio.StreamWriter, sending: asyncio.Task[None]
) -> None:
    """Pass on what the pod sends, until it ends; once nothing more is sent, while it goes on."""
    time = asyncio.get_running_loop().time
    async with asyncio.timeout(None) as limit:

        def ended(_: object) -> None:
            broken = sending.cancelled() or sending.exception() is not None
            limit.reschedule(time() + (0 if broken else QUIET_SECONDS))

        sending.add_done_callback(ended)
        try:
            while data := await pod.read():
                if sending.done():
                    ended(sending)
                writer.write(data)
                await writer.drain()
        finally:
            sending.remove_done_callback(ended)
