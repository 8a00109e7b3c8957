"""`python -m chatbot_app`: from a command line and an environment to a running chatbot."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import load_dotenv

from chatbot_app import app, telemetry
from chatbot_app import settings as settings_module
from chatbot_app.serving import listen, listen_near

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chatbot_app.settings import Settings, SettingsError

log = logging.getLogger(__name__)

EXIT_SETTINGS = 2

_EPILOG = """\
Settings come from the environment, or from a file named .env in this directory.

needed:
  AZURE_OPENAI_ENDPOINT    the account's address, https://NAME.openai.azure.com/
  AZURE_OPENAI_DEPLOYMENT  the name of a model deployment
often wanted:
  HOST, PORT               where the page is; 127.0.0.1 and 8087 unless set
  CHAT_TITLE, CHAT_WELCOME, CHAT_STARTERS, CHAT_DISCLAIMER
                           what the page says of the chatbot
  SYSTEM_PROMPT_FILE       a file with its instructions
  TEMPERATURE, TOP_P, MAX_OUTPUT_TOKENS
                           sent to the model only when set
  CONTEXT_WINDOW, MEMORY_MAX_TURNS, MEMORY_MAX_TOKENS
                           how much of a conversation the model is sent
  DAILY_TOKEN_BUDGET       tokens of a day
  CHAT_ANSWERS_AT_ONCE, CHAT_ANSWERS_PER_USER
                           how many answers may be under way
  CHAT_API                 openai: also answer OpenAI's clients, at /v1

docs/contract.md has all of them. There is no key: sign in once with `az login`.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chatbot until it is told to end; return the exit code of the process."""
    demo = _command_line().parse_args(arguments).demo
    load_dotenv(Path(".env"))
    try:
        settings = (settings_module.demo if demo else settings_module.parse)(os.environ)
    except settings_module.SettingsError as error:
        return _explain(error)
    telemetry.set_up(as_json=settings.ops_port is not None)
    return _run(settings, demo=demo)


def _command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chatbot_app",
        description="A chatbot on one Azure OpenAI deployment, without any key.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--demo",
        action="store_true",
        help="needs no settings, no Azure and no network: a built-in stand-in answers",
    )
    return parser


def _run(settings: Settings, *, demo: bool) -> int:
    with contextlib.ExitStack() as sockets:
        try:
            front = [sockets.enter_context(listen(settings.host, settings.port))]
            back = None
            if settings.ops_port is not None:
                near = listen_near(front[0])
                front += [sockets.enter_context(near)] if near else []
                back = sockets.enter_context(listen(settings.host, settings.ops_port))
        except OSError as error:
            return _cannot_listen(settings.host, error)
        asyncio.run(app.demonstrate(settings, front) if demo else app.run(settings, front, back))
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
        asyncio.run(app.complain(error, back))
    return 0


def _cannot_listen(host: str, error: OSError) -> int:
    sys.stderr.write(
        f"The chatbot cannot listen on {host}: {error.strerror or error}.\n"
        "Another one may be running; PORT sets another port.\n"
    )
    return 1
