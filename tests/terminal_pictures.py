"""Take pictures of the command line for docs/cli.md: `make terminal`.

Each is what the console script says in a running sandbox, letter by letter: a real control plane,
the operator as its pods run it, the emulated Azure. Ages, hashes and ports are those of the run.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import shops_pod
from e2e_sandbox import Running, running
from e2e_talk import ACCOUNT_ID, GROUP, chatbot
from rich.console import Console
from rich.text import Text
from sandbox.azure.world import SUBSCRIPTION_ID, role_definition_id
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

SANDBOX: Final = Path(sys.executable).with_name("sandbox")
COLUMNS: Final = 110
GROUP_ID: Final = f"{ACCOUNT_ID.partition('/providers')[0].rpartition('/')[0]}/chatbot-identities"
LOCK: Final = f"{GROUP_ID}/providers/Microsoft.Authorization/locks/keep"
CLIENT_ID: Final = "azure.workload.identity/client-id"
OWNER: Final = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
"""The built-in role of this name."""
OPERATOR: Final = (
    f"{SUBSCRIPTION_ID}/resourceGroups/chatbot-operator"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/chatbot-operator"
)
FEDERATION: Final = f"{OPERATOR}/federatedIdentityCredentials/cluster"
OWNERSHIP: Final = (
    f"{ACCOUNT_ID}/providers/Microsoft.Authorization/roleAssignments"
    "/0e14c0de-0000-4000-8000-00000000d0c7"
)
HEAD: Final = "$ "
FONTS: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_FACE: Final = re.compile(r"@font-face \{.*?\}\n", re.DOTALL)


@dataclass(frozen=True)
class Picture:
    """What is typed, and how the sandbox is made so; `undo` makes it as it was."""

    name: str
    typed: str
    arrange: Callable[[Running], object]
    undo: Callable[[Running], object] = lambda _: None


def prepare(sandbox: Running) -> None:
    """Two namespaces, of which the account allows one, and a chatbot that works."""
    for name in ("help", "sales"):
        sandbox.kubectl("create", "namespace", name)
    apply(sandbox, account("help"))
    apply(sandbox, chatbot("help"))
    sandbox.wait_ready("help", "support")


def account(namespace: str) -> Any:
    """The account, which one namespace may use."""
    spec = {
        "accountId": ACCOUNT_ID,
        "allowedNamespaces": {"names": [namespace]},
        "imageRepositories": ["contoso.azurecr.io/lab"],
        "identity": {"resourceGroup": "chatbot-identities"},
    }
    made = {"apiVersion": GROUP, "kind": "AzureOpenAIAccount", "metadata": {"name": "contoso"}}
    return {**made, "spec": spec}


def changed() -> Any:
    """The chatbot that works, as somebody wants it next."""
    chat = {"systemPrompt": "Answer in one sentence.", "title": "Ask us"}
    openai = {"account": "contoso", "deployment": "gpt-4o-mini"}
    return chatbot("help", replicas=2, chat=chat, openAI=openai)


def apply(sandbox: Running, body: Any) -> None:
    """Apply a manifest, as whoever wrote it would."""
    sandbox.kubectl("apply", "-f", "-", body=body)


def failing(
    name: str, reason: str, namespace: str = "help", **spec: Any
) -> Callable[[Running], None]:
    """Make a chatbot, and wait until it says this reason."""

    def arrange(sandbox: Running) -> None:
        apply(sandbox, chatbot(namespace, name, **spec))
        said(sandbox, namespace, name, reason)

    return arrange


def said(sandbox: Running, namespace: str, name: str, reason: str) -> None:
    """Wait until a chatbot is not Ready for this reason."""
    until(
        lambda: sandbox.condition(namespace, name, "Ready")["reason"] == reason,
        f"{namespace}/{name} to say {reason}",
    )


def lock(sandbox: Running) -> None:
    """Lock the group of the identities against writes, and ask for one more."""
    sandbox.azure("PUT", LOCK, {"properties": {"level": "ReadOnly"}})
    failing("intern", "ResourceLocked")(sandbox)


def unlock(sandbox: Running) -> None:
    """Take the lock off."""
    sandbox.azure("DELETE", LOCK)


def slow_roles(seconds: float) -> Callable[[Running], None]:
    """Let Azure take so long to spread a role assignment."""

    def set_(sandbox: Running) -> None:
        sandbox.azure("PATCH", "/_emulator/settings", {"propagation_role": seconds})

    return set_


def spreading(sandbox: Running) -> None:
    """A chatbot whose role Azure has not spread yet."""
    slow_roles(3600)(sandbox)
    failing("fresh", "RolePropagating")(sandbox)


def stop_operator(sandbox: Running) -> None:
    """Somebody stops the operator, and then a chatbot is changed."""
    scale(sandbox, 0)
    change = {"spec": {"chat": {"title": "Ask us"}}}
    sandbox.kubectl(
        *("patch", "chatbot", "support", "-n", "help", "--type=merge", "-p", json.dumps(change))
    )


def start_operator(sandbox: Running) -> None:
    """Start it again."""
    scale(sandbox, 2)
    sandbox.wait_ready("help", "support")


def scale(sandbox: Running, pods: int) -> None:
    """Let so many pods of the operator run, and wait until they are all there are."""
    where = ("-n", "chatbot-operator")
    sandbox.kubectl("scale", "deployment", "chatbot-operator", f"--replicas={pods}", *where)
    live = ("deployment", "chatbot-operator", *where)
    until(
        lambda: sandbox.get(*live)["status"].get("readyReplicas", 0) == pods,
        f"{pods} pods of the operator",
    )


def write(name: str, body: Callable[[], Any]) -> Callable[[Running], None]:
    """Write a manifest into the directory where a person types."""

    def arrange(sandbox: Running) -> None:
        (sandbox.directory / name).write_text(json.dumps(body(), indent=1))

    return arrange


def unfit(sandbox: Running) -> None:
    """What one tired evening does: three edits, in the cluster, in Azure's roles and in Entra."""
    operator = ("serviceaccount", "chatbot-operator", "-n", "chatbot-operator")
    sandbox.kubectl("annotate", *operator, f"{CLIENT_ID}-")
    issuer = _federation(sandbox)["issuer"].rstrip("/")
    _federate(sandbox, issuer)
    principal = sandbox.azure("GET", OPERATOR).json()["properties"]["principalId"]
    role = {"roleDefinitionId": role_definition_id(OWNER), "principalId": principal}
    sandbox.azure("PUT", OWNERSHIP, {"properties": {**role, "principalType": "ServicePrincipal"}})


def fit(sandbox: Running) -> None:
    """Undo it."""
    client_id = sandbox.azure("GET", OPERATOR).json()["properties"]["clientId"]
    operator = ("serviceaccount", "chatbot-operator", "-n", "chatbot-operator")
    sandbox.kubectl("annotate", *operator, f"{CLIENT_ID}={client_id}")
    _federate(sandbox, f"{_federation(sandbox)['issuer']}/")
    sandbox.azure("DELETE", OWNERSHIP)


def _federation(sandbox: Running) -> dict[str, Any]:
    found: dict[str, Any] = sandbox.azure("GET", FEDERATION).json()["properties"]
    return found


def _federate(sandbox: Running, issuer: str) -> None:
    changed = {**_federation(sandbox), "issuer": issuer}
    sandbox.azure("PUT", FEDERATION, {"properties": changed})


DOCTOR: Final = "kubectl chatbot doctor"
WHY: Final = "kubectl chatbot why"
PLAN: Final = "kubectl chatbot plan"
PICTURES: Final = (
    Picture("doctor-fit", DOCTOR, lambda _: None),
    Picture("doctor-unfit", DOCTOR, unfit, fit),
    Picture("why-ready", f"{WHY} support -n help", lambda _: None),
    Picture(
        "plan-new",
        f"{PLAN} -f legal.yaml",
        write("legal.yaml", lambda: chatbot("help", "legal", replicas=2)),
    ),
    Picture(
        "plan-change",
        f"{PLAN} -f support.yaml",
        write("support.yaml", changed),
    ),
    Picture(
        "plan-account",
        f"{PLAN} -f contoso.yaml",
        write("contoso.yaml", lambda: account("sales")),
    ),
    Picture(
        "why-not-allowed",
        f"{WHY} quotes -n sales",
        failing("quotes", "NamespaceNotAllowed", "sales"),
    ),
    Picture(
        "why-image",
        f"{WHY} lab -n help",
        failing("lab", "ImagePullFailed", image="contoso.azurecr.io/lab:2"),
    ),
    Picture("why-locked", f"{WHY} intern -n help", lock, unlock),
    Picture("why-waiting", f"{WHY} fresh -n help", spreading, slow_roles(0)),
    Picture(
        "why-deployment",
        f"{WHY} writer -n help",
        failing(
            "writer",
            "DeploymentNotFound",
            openAI={"account": "contoso", "deployment": "gpt-4o-mimi"},
        ),
    ),
    Picture("why-pod", f"{WHY} pod/web -n shop", shops_pod.foreign, shops_pod.close),
    Picture("why-all", f"{WHY} -A", lambda _: None),
    Picture("why-operator", f"{WHY} support -n help", stop_operator, start_operator),
)
FILES: Final = frozenset(f"{picture.name}.svg" for picture in PICTURES)


def take(target: Path) -> None:
    """Write every picture into a directory."""
    with tempfile.TemporaryDirectory() as directory, running(Path(directory)) as sandbox:
        prepare(sandbox)
        for picture in PICTURES:
            (target / f"{picture.name}.svg").write_text(taken(sandbox, picture), "utf-8")


def taken(sandbox: Running, picture: Picture) -> str:
    """Arrange the sandbox, type the command, and draw what it says."""
    picture.arrange(sandbox)
    try:
        return drawn(picture.name, picture.typed, typed(sandbox, picture.typed))
    finally:
        picture.undo(sandbox)


def typed(sandbox: Running, line: str) -> str:
    """Type a line into a shell of the sandbox; what it says, with its colours."""
    shell = f'eval "$({SANDBOX} env --directory {sandbox.directory})"; {line}'
    bare = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(sandbox.directory),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        "FORCE_COLOR": "1",
        "COLUMNS": str(COLUMNS),
    }
    done = subprocess.run(
        ["bash", "-c", shell], env=bare, cwd=sandbox.directory, check=False, capture_output=True
    )
    return done.stdout.decode() + done.stderr.decode()


def drawn(name: str, line: str, said_: str) -> str:
    """Draw a terminal in which a line was typed; it needs no letters from anywhere else."""
    console = Console(record=True, file=io.StringIO(), width=COLUMNS, color_system="truecolor")
    console.print(Text.assemble((HEAD, "green"), (line, "bold")))
    for row in Text.from_ansi(said_).split(allow_blank=True):
        for piece in _folded(row):
            console.print(piece, no_wrap=True, crop=False, highlight=False)
    svg = console.export_svg(title="kubectl chatbot", unique_id=name)
    return _FACE.sub("", svg).replace("Fira Code", FONTS)


def _folded(row: Text) -> Iterator[Text]:
    """Break a row where a terminal does, in the midst of a word."""
    row.rstrip()
    yield from row.divide(range(COLUMNS, len(row), COLUMNS)) if row else [Text()]


if __name__ == "__main__":
    take(Path(sys.argv[1]))
