"""`python -m sandbox.azure`: the emulator on its own."""

import argparse
import asyncio
import sys

from sandbox.azure.command import add_arguments, run

parser = argparse.ArgumentParser(prog="python -m sandbox.azure", description=__doc__)
add_arguments(parser)
sys.exit(asyncio.run(run(parser.parse_args())))
