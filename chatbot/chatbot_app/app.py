"""The whole chatbot, put together: settings → credential → completions → page and probes."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import os
import random
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import load_dotenv

from chatbot_app import settings as settings_module
from chatbot_app import telemetry
from chatbot_app.answering import Chat, Texts
from chatbot_app.budget import Budget
from chatbot_app.completions import Completions, Model, Sampling
from chatbot_app.credential import Credential, nobody, person, workload_identity
from chatbot_app.memory import Memory
from chatbot_app.ops import probes
from chatbot_app.places import Places
from chatbot_app.proof import Proof, Terms
from chatbot_app.reasons import Reason, Refusal, RefusedError
from chatbot_app.routes import page
from chatbot_app.serving import Ending, Server, listen, serve
from chatbot_app.standing import Standing
from chatbot_app.trust import trust
from chatbot_app.words import for_person, for_visitor

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from chatbot_app.settings import Settings, SettingsError

log = logging.getLogger(__name__)

WEB = Path(__file__).parent / "web"
EXIT_SETTINGS = 2


def main() -> int:
    """Run the chatbot until it is told to end; return the exit code of the process."""
    load_dotenv(Path(".env"))
    try:
        settings = settings_module.parse(os.environ)
    except settings_module.SettingsError as error:
        return _explain(error)
    telemetry.set_up(as_json=settings.ops_port is not None)
    with contextlib.ExitStack() as sockets:
        try:
            front = sockets.enter_context(listen(settings.host, settings.port))
            back = None
            if settings.ops_port is not None:
                back = sockets.enter_context(listen(settings.host, settings.ops_port))
        except OSError as error:
            return _cannot_listen(settings.host, error)
        asyncio.run(_serve(settings, front, back))
    return 0


def _explain(error: SettingsError) -> int:
    """Tell a person and exit, or tell the operator and stay: a pod must not crash in a loop."""
    if error.ops_port is None:
        sys.stderr.write(error.in_words() + "\n")
        return EXIT_SETTINGS
    telemetry.set_up(as_json=True)
    log.error("settings need attention", extra={"detail": str(error)})
    try:
        back = listen(error.host, error.ops_port)
    except OSError as refused:
        return _cannot_listen(error.host, refused)
    with back:
        asyncio.run(_serve_complaint(error, back))
    return 0


def _cannot_listen(host: str, error: OSError) -> int:
    sys.stderr.write(
        f"The chatbot cannot listen on {host}: {error.strerror or error}.\n"
        "Another one may be running; PORT sets another port.\n"
    )
    return 1


async def _serve(settings: Settings, front: socket.socket, back: socket.socket | None) -> None:
    ending = Ending()
    ending.catch_signals()
    credential = _credential(settings)
    completions = _completions(settings, credential)
    proof = _proof(settings, credential, completions)
    words = _words(settings)
    chat = Chat(
        texts=Texts(settings.title, settings.welcome, settings.starters, settings.disclaimer),
        deployment=settings.deployment,
        system_prompt=settings.system_prompt,
        memory=_memory(settings),
        model=completions,
        ended=proof.chat_ended,
        words=words,
        now=_now,
        budget=Budget(settings.daily_tokens),
        places=Places(settings.answers_at_once, settings.answers_per_user),
    )
    local_only = _on_a_laptop(settings)
    site = page(
        chat,
        web=WEB,
        local_only=local_only,
        access=settings.access,
        openai=settings.openai_api,
    )
    ops = None
    if back is not None:
        ops = Server(probes(lambda: proof.standing, draining=lambda: ending.begun), back)
    ahead = proof.run() if ops is not None else _sign_in(credential, completions, words)
    log.info("listening", extra={"page": _address(front)} | _probes(back))
    try:
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(work) for work in (credential.keep(), ahead)]
            await serve(Server(site, front), ops, ending)
            for task in background:
                task.cancel()
    finally:
        await credential.close()
        await completions.close()


async def _serve_complaint(error: SettingsError, back: socket.socket) -> None:
    standing = Standing(proof=Refusal(Reason.MISCONFIGURED, str(error)))
    ending = Ending()
    ending.catch_signals()
    ops = Server(probes(lambda: standing, draining=lambda: ending.begun), back)
    log.info("listening", extra=_probes(back))
    await serve(None, ops, ending)


def _credential(settings: Settings) -> Credential:
    identity = settings.workload_identity
    if identity is not None:
        fetch = workload_identity(
            identity,
            scope=settings.scope,
            ca_file=settings.ca_file,
            extra_ca_file=settings.extra_ca_file,
        )
    elif settings.ops_port is not None:
        fetch = nobody
    else:
        fetch = person(scope=settings.scope)
    return Credential(fetch, clock=time.time, sleep=asyncio.sleep, random=random.random)


def _completions(settings: Settings, credential: Credential) -> Completions:
    return Completions(
        model=Model(settings.endpoint, settings.deployment, settings.api_version),
        sampling=Sampling(settings.temperature, settings.top_p, settings.max_output_tokens),
        token=credential.token,
        trusted=trust(settings.extra_ca_file),
    )


def _memory(settings: Settings) -> Memory:
    return Memory(
        window=settings.context_window,
        answer=settings.max_output_tokens,
        most=settings.memory_tokens,
        turns=settings.memory_turns,
    )


def _proof(settings: Settings, credential: Credential, completions: Completions) -> Proof:
    identity = settings.workload_identity
    terms = Terms(
        principal_id=settings.principal_id,
        since_file=settings.credential_since_file,
        token_file=identity.token_file if identity else None,
        delay=settings.proof_delay,
        recheck=settings.proof_recheck,
    )
    return Proof(
        terms,
        credential,
        completions,
        now=_now,
        sleep=asyncio.sleep,
        random=random.random,
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


async def _sign_in(
    credential: Credential, completions: Completions, words: Callable[[Refusal], str]
) -> None:
    """On a laptop: have the token before the first message, or say early what is missing."""
    credential.open()
    try:
        token = await credential.renew()
        await completions.prove(token.value)
    except RefusedError as error:
        log.warning(words(error.refusal))


def _words(settings: Settings) -> Callable[[Refusal], str]:
    borrowed = settings.workload_identity is None and settings.ops_port is None
    return partial(for_person if borrowed else for_visitor, deployment=settings.deployment)


def _on_a_laptop(settings: Settings) -> bool:
    return settings.ops_port is None and settings.host in {"127.0.0.1", "::1", "localhost"}


def _probes(listener: socket.socket | None) -> dict[str, str]:
    return {} if listener is None else {"probes": _address(listener)}


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
