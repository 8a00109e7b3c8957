"""Fetch again what the page brings along of other people's work, and verify it: `make vendor`.

`vendor/manifest.json` says which files of which npm packages. A file whose hash is recorded there
must be fetched with that hash; to take another version, write it there and empty the hashes.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parents[2] / "chatbot/chatbot_app/web/vendor"
MANIFEST = VENDOR / "manifest.json"


def manifest() -> list[dict[str, Any]]:
    return json.loads(MANIFEST.read_text("utf-8"))["packages"]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetch() -> list[str]:
    """Write every file of the manifest; return what was not as recorded, which is not written."""
    packages = manifest()
    wrong = []
    for package in packages:
        name = f"{package['name']}@{package['version']}"
        with tempfile.TemporaryDirectory() as directory:
            archive = _packed(name, Path(directory))
            for file in package["files"]:
                content = _member(archive, file["from"])
                found = digest(content)
                if file["sha256"] not in {"", found}:
                    wrong.append(f"{name}: {file['from']} has sha256 {found}")
                    continue
                file["sha256"] = found
                target = VENDOR / file["path"]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
    if not wrong:
        MANIFEST.write_text(json.dumps({"packages": packages}, indent=2) + "\n", "utf-8")
    return wrong


def _packed(name: str, directory: Path) -> Path:
    subprocess.run(
        ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", directory, name],
        check=True,
        cwd=directory,
        stdout=subprocess.DEVNULL,
    )
    (archive,) = directory.glob("*.tgz")
    return archive


def _member(archive: Path, path: str) -> bytes:
    with tarfile.open(archive) as members:
        file = members.extractfile(f"package/{path}")
        assert file is not None, path
        return file.read()


if __name__ == "__main__":
    if complaints := fetch():
        sys.exit("not what vendor/manifest.json records:\n  " + "\n  ".join(complaints))
