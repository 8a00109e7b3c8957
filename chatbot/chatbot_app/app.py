"""The whole chatbot, put together: settings → credential → completions → page and probes."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import random
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from chatbot_app import answering
from chatbot_app.access.headers import NamedByProxy
from chatbot_app.answering import Chat, Texts
from chatbot_app.budget import Budget
from chatbot_app.completions import Completions, Model, Sampling
from chatbot_app.credential import Credential, nobody, person, workload_identity
from chatbot_app.demo import Demo
from chatbot_app.memory import Memory
from chatbot_app.metrics import Calls, State
from chatbot_app.observing import Observed
from chatbot_app.ops import probes
from chatbot_app.places import Places
from chatbot_app.proof import Proof, Terms
from chatbot_app.reasons import Reason, Refusal, RefusedError
from chatbot_app.routes import page
from chatbot_app.serving import Ending, Server, serve
from chatbot_app.settings import EntraToken, ProxyHeaders
from chatbot_app.standing import Standing
from chatbot_app.trust import trust
from chatbot_app.words import for_person, for_visitor

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence

    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from chatbot_app.access.admission import SignIn
    from chatbot_app.access.keys import Keys
    from chatbot_app.settings import Settings, SettingsError
    from chatbot_app.spans import Spans

log = logging.getLogger(__name__)

WEB = Path(__file__).parent / "web"


async def run(
    settings: Settings, front: Sequence[socket.socket], back: socket.socket | None
) -> None:
    """Answer with the model that the settings name; prove it to whoever asks at `back`."""
    ending = Ending()
    ending.catch_signals()
    credential = _credential(settings)
    completions = _completions(settings, credential)
    proof = _proof(settings, credential, completions)
    words = _words(settings)
    keys = _keys(settings)
    registry, spans = CollectorRegistry(), _spans(settings, os.environ)
    calls = Calls(registry, deployment=settings.deployment)
    observers = (calls.observe, spans.observe) if spans else (calls.observe,)
    model = Observed(completions, time.monotonic, observers)
    chat = _chat(settings, model, words, proof.chat_ended)
    registry.register(State(chat, credential, lambda: proof.standing))
    site: ASGIApp = _site(settings, chat, _visitors(settings, keys))
    if spans:
        site = spans.continued(site)
    ops = None
    if back is not None:
        health = probes(lambda: proof.standing, draining=lambda: ending.begun, registry=registry)
        ops = Server(health, back)
    ahead = proof.run() if ops is not None else _sign_in(credential, completions, words)
    works = [credential.keep(), ahead, *([keys.keep()] if keys else [])]
    log.info("listening", extra={"page": _address(front[0])} | _probes(back))
    try:
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(work) for work in works]
            await serve(Server(site, *front, patient=back is not None), ops, ending)
            for task in background:
                task.cancel()
    finally:
        await credential.close()
        await completions.close()
        if spans:
            await spans.close()


async def demonstrate(settings: Settings, front: Sequence[socket.socket]) -> None:
    """Answer with the built-in stand-in."""
    ending = Ending()
    ending.catch_signals()
    model = Demo(asyncio.sleep)
    chat = _chat(settings, model, _words(settings), lambda _: None)
    site = _site(settings, chat, _visitors(settings, _keys(settings)), demo=True)
    log.info("listening", extra={"page": _address(front[0])})
    await serve(Server(site, *front), None, ending)


def _chat(
    settings: Settings,
    model: answering.Model,
    words: Callable[[Refusal], str],
    ended: Callable[[Refusal | None], None],
) -> Chat:
    return Chat(
        texts=Texts(settings.title, settings.welcome, settings.starters, settings.disclaimer),
        deployment=settings.deployment,
        system_prompt=settings.system_prompt,
        memory=_memory(settings),
        model=model,
        ended=ended,
        words=words,
        now=_now,
        budget=Budget(settings.daily_tokens),
        places=Places(settings.answers_at_once, settings.answers_per_user),
    )


def _site(
    settings: Settings, chat: Chat, sign_in: SignIn | None, *, demo: bool = False
) -> Starlette:
    return page(
        chat,
        web=WEB,
        local_only=_on_a_laptop(settings),
        sign_in=sign_in,
        openai=settings.openai_api,
        demo=demo,
    )


async def complain(error: SettingsError, back: socket.socket) -> None:
    """Tell the operator which settings need attention, for as long as they do."""
    standing = Standing(proof=Refusal(Reason.MISCONFIGURED, str(error)))
    ending = Ending()
    ending.catch_signals()
    registry = CollectorRegistry()
    ops = Server(probes(lambda: standing, draining=lambda: ending.begun, registry=registry), back)
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


def _keys(settings: Settings) -> Keys | None:
    if not isinstance(terms := settings.access, EntraToken):
        return None
    from chatbot_app.access.keys import Keys, entra  # noqa: PLC0415 - cryptography's 8 MB

    return Keys(
        entra(terms.authority, terms.tenant, trusted=trust(settings.extra_ca_file)),
        clock=time.monotonic,
        sleep=asyncio.sleep,
        random=random.random,
    )


def _visitors(settings: Settings, keys: Keys | None) -> SignIn | None:
    match settings.access:
        case EntraToken() as terms if keys is not None:
            from chatbot_app.access.tokens import ProvenByToken  # noqa: PLC0415 - as for the keys

            return ProvenByToken(terms, keys)
        case ProxyHeaders() as terms:
            return NamedByProxy(terms)
    return None


def _completions(settings: Settings, credential: Credential) -> Completions:
    return Completions(
        model=Model(settings.endpoint, settings.deployment, settings.api_version),
        sampling=Sampling(settings.temperature, settings.top_p, settings.max_output_tokens),
        token=credential.token,
        trusted=trust(settings.extra_ca_file),
    )


def _spans(settings: Settings, environment: Mapping[str, str]) -> Spans | None:
    """Make spans if somebody wants them; they cost memory that most chatbots need not have."""
    if not environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    try:
        from chatbot_app.spans import Spans  # noqa: PLC0415 - of an extra that may not be there
    except ImportError as error:
        log.warning("no spans: install the extra `telemetry`", extra={"missing": error.name})
        return None
    return Spans(endpoint=settings.endpoint, deployment=settings.deployment, clock=time.time_ns)


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
