"""`python -m sandbox.cluster build`: compile the control plane's programs into the cache."""

from __future__ import annotations

import argparse
import asyncio

from sandbox.cluster.binaries import find_or_build


def main() -> None:
    """Build, unless it has been done, and print the directory."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.cluster", description=__doc__)
    parser.add_argument("command", choices=["build"])
    parser.parse_args()
    print(asyncio.run(find_or_build(lambda line: print(line, flush=True))))


if __name__ == "__main__":
    main()
