"""`chatbot-operator`: runs the operator."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from chatbot_operator import app, telemetry
from chatbot_operator.settings import Settings, SettingsError, table


def main() -> int:
    """Run the operator until it is told to stop; exit code 2 when it is not set up."""
    parser = argparse.ArgumentParser(
        prog="chatbot-operator",
        description="Keeps AzureOpenAIChatbots as their resources say.",
        epilog=f"settings (environment):\n{table()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    try:
        settings = Settings.parse(os.environ)
        spans = telemetry.set_up(os.environ)
        asyncio.run(app.run(settings, spans))
    except SettingsError as error:
        print(f"chatbot-operator is not set up:\n{error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
