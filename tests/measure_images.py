"""How large the images are and how soon they start: `make measure-images`, after `make images`.

Times are taken inside a container, so that no container engine is measured with them, and in turns with
what Python itself takes there: on another machine the ratio holds better than the seconds. The best of
nine is what the image takes; whatever else the machine does only adds to it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CHUNK: Final = 1 << 20
BYTES_A_MB: Final = 1_000_000
HEAD: Final = """| image | size | over its base | compressed | over its base | starts | in | of Python alone |
| --- | --- | --- | --- | --- | --- | --- | --- |"""

# It runs in the image, with nothing but the standard library.
INSIDE: Final = """
import json, os, subprocess, sys, time, urllib.request

PYTHON = sys.executable
POD = {
    "HOST": "127.0.0.1", "PORT": "8087", "OPS_PORT": "8088",
    "AZURE_OPENAI_ENDPOINT": "https://127.0.0.1:9/", "AZURE_OPENAI_DEPLOYMENT": "none",
}

def until_end(*arguments):
    begun = time.perf_counter()
    subprocess.run([PYTHON, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun

def until_alive():
    begun = time.perf_counter()
    process = subprocess.Popen(
        [PYTHON, "-m", "chatbot_app"], env=os.environ | POD,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        while time.perf_counter() - begun < 60:
            try:
                urllib.request.urlopen("http://127.0.0.1:8088/livez", timeout=5).close()
                return time.perf_counter() - begun
            except OSError:
                if process.poll() is not None:
                    sys.exit(f"the chatbot ended with {process.returncode} before it answered")
                time.sleep(0.005)
        sys.exit("the chatbot did not answer within 60 s")
    finally:
        process.kill()
        process.wait()

started = {
    "operator": lambda: until_end("-m", "chatbot_operator", "--help"),
    "chatbot": until_alive,
}[sys.argv[1]]
turns = [(until_end("-c", "pass"), started()) for _ in range(9)]
python, seconds = (min(each) for each in zip(*turns))
print(json.dumps({"python": python, "started": seconds}))
"""
UNTIL: Final = {"operator": "`--help`", "chatbot": "first answer of `/livez`"}


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine by its command: docker, podman or buildah."""

    command: str

    def run(self, image: str, *arguments: str) -> str:
        """Run Python of `image` with these arguments, and return what it printed."""
        if self.command != "buildah":
            alone = ("--rm", "--read-only", "--network", "none", "--entrypoint", "/app/bin/python")
            return self._said("run", *alone, image, *arguments)
        container = self._said("from", "--pull-never", image).strip()
        try:
            chroot = ("run", "--isolation", "chroot", container, "--", "/app/bin/python")
            return self._said(*chroot, *arguments)
        finally:
            self._said("rm", container)

    def saved(self, image: str) -> Iterator[bytes]:
        """Read the image as an archive of its layers, not compressed."""
        with tempfile.TemporaryDirectory() as directory:
            archive = Path(directory) / "image.tar"
            if self.command == "buildah":
                self._said("push", "--quiet", image, f"docker-archive:{archive}")
            else:
                self._said("save", "--output", str(archive), image)
            with archive.open("rb") as opened:
                while chunk := opened.read(CHUNK):
                    yield chunk

    def _said(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.command, *arguments], check=False, stdout=subprocess.PIPE, text=True
        )
        if done.returncode:
            sys.exit(f"{self.command} {arguments[0]} failed; `make images` builds what is measured")
        return done.stdout


def sizes(chunks: Iterator[bytes]) -> tuple[float, float]:
    """Count an archive: its MB as it is, and as a registry keeps it (gzip)."""
    compress = zlib.compressobj(6)
    whole = small = 0
    for chunk in chunks:
        whole += len(chunk)
        small += len(compress.compress(chunk))
    return whole / BYTES_A_MB, (small + len(compress.flush())) / BYTES_A_MB


def row(
    target: str, size: tuple[float, float], base: tuple[float, float], times: dict[str, Any]
) -> str:
    """Write a row of the README."""
    whole, small = (f"{its:.0f} MB | {its - of:.0f} MB" for its, of in zip(size, base, strict=True))
    ratio = times["started"] / times["python"]
    return (
        f"| {target} | {whole} | {small} "
        f"| {UNTIL[target]} | {times['started']:.2f} s | {ratio:.0f} × |"
    )


def main() -> None:
    """Measure both images, and what they are more than their base."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", required=True, choices=("docker", "podman", "buildah"))
    for name in ("base", "operator", "chatbot"):
        parser.add_argument(f"--{name}", required=True)
    asked = parser.parse_args()
    engine = Engine(asked.engine)
    base = sizes(engine.saved(asked.base))
    print(HEAD)  # noqa: T201 - it is what was asked for
    for target in UNTIL:
        image = getattr(asked, target)
        times = json.loads(engine.run(image, "-c", INSIDE, target))
        print(row(target, sizes(engine.saved(image)), base, times))  # noqa: T201


if __name__ == "__main__":
    main()
