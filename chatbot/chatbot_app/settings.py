"""The chatbot's settings: parsed once from the environment, in the words of `docs/contract.md`.

An empty variable counts as unset. Everything that is wrong is found in one go, so that a person
mends it once; a missing prompt file is no error, because its ConfigMap is optional.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot_app.demo import DISCLAIMER
from chatbot_app.places import AT_ONCE, PER_USER
from chatbot_app.variables import Network, Problem, Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8087
DEFAULT_SCOPE = "https://cognitiveservices.azure.com/.default"
DEFAULT_AUTHORITY = "https://login.microsoftonline.com/"
DEFAULT_TOKEN_HEADER = "Authorization"  # noqa: S105 - the name of a header


@dataclass(frozen=True, slots=True)
class WorkloadIdentity:
    """What the workload identity webhook injected; an empty string is what it left out."""

    token_file: Path
    client_id: str
    tenant_id: str
    authority_host: str


@dataclass(frozen=True, slots=True)
class ProxyHeaders:
    """A proxy in front that names the visitor in a header, and where it connects from."""

    header: str
    peers: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class EntraToken:
    """Which tokens let their holders in; no `groups` is everybody, no `peers` is from anywhere."""

    audiences: tuple[str, ...]
    tenant: str
    authority: str
    header: str
    groups: frozenset[str]
    peers: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """One chatbot. Delays are in seconds; `endpoint` ends with a slash."""

    endpoint: str
    deployment: str
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    ops_port: int | None = None
    scope: str = DEFAULT_SCOPE
    api_version: str = ""
    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    daily_tokens: int | None = None
    answers_at_once: int = AT_ONCE
    answers_per_user: int = PER_USER
    context_window: int | None = None
    memory_turns: int | None = None
    memory_tokens: int | None = None
    title: str = "Chatbot"
    welcome: str = ""
    starters: tuple[str, ...] = ()
    disclaimer: str = ""
    system_prompt: str = ""
    credential_since_file: Path | None = None
    proof_delay: float = 15.0
    proof_recheck: float = 300.0
    principal_id: str = ""
    access: ProxyHeaders | EntraToken | None = None
    openai_api: bool = False
    workload_identity: WorkloadIdentity | None = None
    ca_file: str = ""
    extra_ca_file: str = ""


class SettingsError(Exception):
    """Settings are missing or malformed.

    `host` and `ops_port` are what could still be read: a pod answers its probes with the reason
    instead of crashing in a loop.
    """

    def __init__(self, problems: tuple[Problem, ...], *, host: str, ops_port: int | None) -> None:
        self.problems = problems
        self.host = host
        self.ops_port = ops_port
        super().__init__("; ".join(f"{p.name} {p.complaint}" for p in problems))

    def in_words(self) -> str:
        """Say to a person at a terminal what is wrong and what to do about it."""
        width = max(len(problem.name) for problem in self.problems)
        rows = "\n".join(f"  {p.name:<{width}}  {p.complaint}" for p in self.problems)
        count = "one setting needs" if len(self.problems) == 1 else "these settings need"
        return (
            f"The chatbot cannot start: {count} attention.\n\n{rows}\n\n"
            "Set them in the environment, or in a file named .env in this directory, and start "
            "again.\nSign in once with `az login`; the chatbot needs no key."
        )


def parse(environment: Mapping[str, str]) -> Settings:
    """Read all settings.

    Raises:
        SettingsError: at least one is missing or malformed; it names every one of them.
    """
    read = Reader(environment)
    host = read.text("HOST", default=DEFAULT_HOST)
    ops_port = read.port("OPS_PORT")
    prompt_file = read.path("SYSTEM_PROMPT_FILE")
    settings = Settings(
        endpoint=read.endpoint("AZURE_OPENAI_ENDPOINT", "OPENAI_API_BASE"),
        deployment=read.required(
            "AZURE_OPENAI_DEPLOYMENT", "DEPLOYMENT_NAME", meaning="the name of a model deployment"
        ),
        host=host,
        port=read.port("PORT", default=DEFAULT_PORT) or 0,
        ops_port=ops_port,
        scope=read.text("AZURE_OPENAI_SCOPE", default=DEFAULT_SCOPE),
        api_version=read.text("AZURE_OPENAI_API_VERSION"),
        temperature=read.number("TEMPERATURE", low=0, high=2),
        top_p=read.number("TOP_P", low=0, high=1),
        max_output_tokens=read.whole("MAX_OUTPUT_TOKENS", low=1, high=2**31 - 1),
        daily_tokens=read.whole("DAILY_TOKEN_BUDGET", low=1, high=10**12),
        answers_at_once=read.whole("CHAT_ANSWERS_AT_ONCE", low=1, high=10_000) or AT_ONCE,
        answers_per_user=read.whole("CHAT_ANSWERS_PER_USER", low=1, high=10_000) or PER_USER,
        context_window=read.whole("CONTEXT_WINDOW", low=1, high=2**31 - 1),
        memory_turns=read.whole("MEMORY_MAX_TURNS", low=1, high=2**31 - 1),
        memory_tokens=read.whole("MEMORY_MAX_TOKENS", low=1, high=2**31 - 1),
        title=read.text("CHAT_TITLE", default="Chatbot"),
        welcome=read.text("CHAT_WELCOME"),
        starters=read.texts("CHAT_STARTERS"),
        disclaimer=read.text("CHAT_DISCLAIMER"),
        system_prompt=read.prompt("SYSTEM_PROMPT_FILE", prompt_file),
        credential_since_file=read.path("CREDENTIAL_SINCE_FILE"),
        proof_delay=read.seconds("PROOF_DELAY_SECONDS", low=0, default=15.0),
        proof_recheck=read.seconds("PROOF_RECHECK_SECONDS", low=1, default=300.0),
        principal_id=read.text("AZURE_PRINCIPAL_ID"),
        access=_access(read),
        openai_api=read.choice("CHAT_API", "openai") == "openai",
        workload_identity=_workload_identity(read),
        ca_file=read.text("SSL_CERT_FILE"),
        extra_ca_file=read.authorities("EXTRA_CA_FILE"),
    )
    if read.problems:
        raise SettingsError(tuple(read.problems), host=host, ops_port=ops_port)
    return settings


def demo(environment: Mapping[str, str]) -> Settings:
    """Read the settings of a demo: those of the page, which always says that it is one.

    Nothing is taken that leads to Azure.

    Raises:
        SettingsError: at least one is malformed.
    """
    theirs = {k: v for k, v in environment.items() if not k.startswith(("AZURE_", "OPS_PORT"))}
    ours = {"AZURE_OPENAI_ENDPOINT": "https://demo.invalid/", "AZURE_OPENAI_DEPLOYMENT": "demo"}
    return parse({"CHAT_TITLE": "Demo"} | theirs | ours | {"CHAT_DISCLAIMER": DISCLAIMER})


def _access(read: Reader) -> ProxyHeaders | EntraToken | None:
    """Read who may chat. Half of it is none of it: nobody must be let in by a slip."""
    header, peers = read.text("ACCESS_USER_HEADER"), read.networks("ACCESS_TRUSTED_PEERS")
    token = _token(read, peers)
    if token is not None:
        if header:
            read.problems.append(Problem("ACCESS_USER_HEADER", "goes with no ACCESS_TOKEN_…"))
        return token
    if header and not peers:
        read.problems.append(Problem("ACCESS_TRUSTED_PEERS", "is missing beside the header"))
    if peers and not header:
        read.problems.append(Problem("ACCESS_USER_HEADER", "is missing beside the peers"))
    return ProxyHeaders(header, peers) if header else None


def _token(read: Reader, peers: tuple[Network, ...]) -> EntraToken | None:
    audiences = read.words("ACCESS_TOKEN_AUDIENCES")
    tenants, groups = read.guids("ACCESS_TOKEN_TENANT"), read.guids("ACCESS_TOKEN_GROUPS")
    header = read.text("ACCESS_TOKEN_HEADER")
    authority = read.text("AZURE_AUTHORITY_HOST", default=DEFAULT_AUTHORITY)
    if not (audiences or tenants or groups or header):
        return None
    if not audiences:
        read.problems.append(Problem("ACCESS_TOKEN_AUDIENCES", "is missing: whom tokens are for"))
    if len(tenants) != 1:
        read.problems.append(Problem("ACCESS_TOKEN_TENANT", "must be the id of one tenant"))
    return EntraToken(
        audiences=audiences,
        tenant="".join(tenants),
        authority=authority,
        header=header or DEFAULT_TOKEN_HEADER,
        groups=frozenset(groups),
        peers=peers,
    )


def _workload_identity(read: Reader) -> WorkloadIdentity | None:
    token_file = read.path("AZURE_FEDERATED_TOKEN_FILE")
    if token_file is None:
        return None
    return WorkloadIdentity(
        token_file=token_file,
        client_id=read.text("AZURE_CLIENT_ID"),
        tenant_id=read.text("AZURE_TENANT_ID"),
        authority_host=read.text("AZURE_AUTHORITY_HOST"),
    )
