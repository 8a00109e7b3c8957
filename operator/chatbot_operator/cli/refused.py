"""What a cluster or Azure refused, in words for the person who asked. Pure."""

from __future__ import annotations

import shlex
import traceback
from http import HTTPStatus
from pathlib import Path

from chatbot_operator.cli.doctor import shipped
from chatbot_operator.errors import KubernetesRefusal, Refusal, Service


def fault(error: Exception) -> str:
    """Say that the program is at fault, and where; not what it held, which may be anybody's."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" in {Path(each.filename).name}, line {each.lineno}" for each in last)
    return (
        f"This is a fault of the program ({type(error).__name__}{where}) and says nothing about the"
        " cluster. Please report it, with the command that you typed."
    )


def words(error: Exception) -> str:
    """Say cause and fix of what ended a command."""
    if not isinstance(error, KubernetesRefusal):
        return _of_azure(error) if isinstance(error, Refusal) else str(error)
    said = error.message or f"{error.operation}: {error.status} {error.reason}"
    if error.status == 0:
        return (
            f"The cluster does not answer ({error.reason}): see whether `kubectl version` reaches"
            " it, and whether --context or --kubeconfig is the one you mean."
        )
    if error.status == HTTPStatus.UNAUTHORIZED:
        return f"The cluster does not know you: sign in anew, as for kubectl. It says: {said}"
    if error.status == HTTPStatus.FORBIDDEN:
        return f"You may not look: have the right given to you. The cluster says: {said}"
    if error.status == HTTPStatus.NOT_FOUND and "chatbot-operator.dev" in error.operation:
        return (
            "The cluster knows no chatbots: the CRDs are not installed. Those who run it install"
            f" them: kubectl apply --server-side -f {shlex.quote(str(shipped.CRDS))}"
        )
    return f"The cluster refuses: {said}"


def _of_azure(refusal: Refusal) -> str:
    if refusal.service is Service.ENTRA:
        return f"Azure gives you no token: sign in by `az login`. It was said: {refusal.message}"
    return str(refusal)
