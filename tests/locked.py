"""What an image has of uv.lock: which packages, and which wheel of each for a processor."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

ROOT: Final = Path(__file__).parents[1]
PYTHON: Final = (3, 11)
OLDEST_GLIBC: Final = 36  # 2.36, of Debian 12
EXTRAS: Final = {"operator": ("operator", "telemetry"), "chatbot": ("chatbot", "telemetry")}
MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file of the lock, and the SHA-256 that is compared before it is installed."""

    file: str
    sha256: str

    def tags(self) -> frozenset[Tag]:
        """Say for which interpreters and platforms it is."""
        return parse_wheel_filename(self.file)[3]


@dataclass(frozen=True, slots=True)
class Package:
    """A package of an image, in one version."""

    name: str
    version: str
    wheels: tuple[Wheel, ...]

    def wheel(self, architecture: str) -> Wheel | None:
        """Choose what is installed on amd64 or arm64; None would have it compiled there."""
        for tag in _tags(MACHINES[architecture]):
            for wheel in self.wheels:
                if tag in wheel.tags():
                    return wheel
        return None


def packages(target: str, architecture: str) -> list[Package]:
    """List what `target` has on `architecture`, as uv resolves its extras from the lock."""
    environment = {
        "python_version": ".".join(map(str, PYTHON)),
        "python_full_version": ".".join(map(str, (*PYTHON, 0))),
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": MACHINES[architecture],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return [
        Package(
            each["name"],
            each["version"],
            tuple(
                Wheel(wheel["url"].rpartition("/")[2], wheel["hashes"]["sha256"])
                for wheel in each.get("wheels", ())
            ),
        )
        for each in tomllib.loads(_exported(target))["packages"]
        if "marker" not in each or Marker(each["marker"]).evaluate(environment)
    ]


def _exported(target: str) -> str:
    uv = os.environ.get("UV") or shutil.which("uv") or ROOT / ".tools/uv/bin/uv"
    extras = [word for extra in EXTRAS[target] for word in ("--extra", extra)]
    which = ("--no-default-groups", "--no-emit-project", *extras)
    command = (uv, "export", "--frozen", "--offline", "--quiet", *which, "--format", "pylock.toml")
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _tags(machine: str) -> list[Tag]:
    """List what pip would install there, what fits best first."""
    glibc = [f"manylinux_2_{minor}_{machine}" for minor in range(OLDEST_GLIBC, 16, -1)]
    older = [f"manylinux2014_{machine}"]
    if machine == "x86_64":
        glibc += [f"manylinux_2_{minor}_{machine}" for minor in range(16, 4, -1)]
        older += [f"manylinux2010_{machine}", f"manylinux1_{machine}"]
    platforms = [*glibc, *older]
    return [
        *cpython_tags(PYTHON, platforms=platforms),
        *compatible_tags(PYTHON, platforms=platforms),
    ]
