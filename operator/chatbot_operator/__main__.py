"""`chatbot-operator`: runs the operator, or looks whether it could work."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys

from chatbot_operator import app, telemetry
from chatbot_operator.settings import Settings, SettingsError, table


def main() -> int:
    """Run the operator until it is told to stop; exit code 2 when it is not set up.

    With --check it ends after a look at Azure; exit code 1 when it could not work there.
    """
    parser = argparse.ArgumentParser(
        prog="chatbot-operator",
        description="Keeps AzureOpenAIChatbots as their resources say.",
        epilog=f"settings (environment):\n{table()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--check",
        type=_group_id,
        metavar="GROUP_ID",
        help="say whether it may do in Azure, on this resource group of identities, what it has to",
    )
    group_id = parser.parse_args().check
    try:
        settings = Settings.parse(os.environ)
        if group_id is not None:
            return _checked(asyncio.run(app.check(settings, group_id)), group_id)
        spans = telemetry.set_up(os.environ)
        asyncio.run(app.run(settings, spans))
    except SettingsError as error:
        print(f"chatbot-operator is not set up:\n{error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _group_id(text: str) -> str:
    if not re.fullmatch(r"/subscriptions/[^/]+/resourceGroups/[^/]+", text):
        raise argparse.ArgumentTypeError(f"not /subscriptions/ID/resourceGroups/NAME: {text!r}")
    return text


def _checked(lacks: str, group_id: str) -> int:
    """Tell what a look at Azure found, and give the exit code."""
    held = f"The operator signs in to Azure, and holds what it needs on {group_id}."
    print(lacks or held, file=sys.stderr if lacks else sys.stdout)
    return 1 if lacks else 0


if __name__ == "__main__":
    sys.exit(main())
