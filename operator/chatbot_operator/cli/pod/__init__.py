"""`why pod/NAME`: why a pod with workload identity does not become it."""

from __future__ import annotations

from argparse import Namespace

from chatbot_operator.cli.command import Report, UnansweredError
from chatbot_operator.cli.reach import Reach


async def why(name: str, arguments: Namespace, reach: Reach) -> Report:
    """Say what stands between a pod and its identity; raises UnansweredError."""
    del arguments, reach
    raise UnansweredError(f"why pod/{name} is not there yet; name a chatbot.")
