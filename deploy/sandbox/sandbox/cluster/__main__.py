"""`python -m sandbox.cluster build`: compile the control plane's programs into the cache."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from sandbox.cluster.binaries import BinariesError, find_or_build


def main() -> None:
    """Build, unless it has been done, and print the directory."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.cluster", description=__doc__)
    parser.add_argument("command", choices=["build"])
    parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the compiler ends with us
    try:
        print(asyncio.run(find_or_build(lambda line: print(line, flush=True))))
    except BinariesError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
