"""What is in each image, as SPDX documents from the lock: `make sbom` writes them to dist/.

The packages of the operating system are the base's: the release workflow has them listed from the image.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Final

import locked
from spdx_tools.common.spdx_licensing import spdx_licensing
from spdx_tools.spdx.model import (
    Actor,
    ActorType,
    Checksum,
    ChecksumAlgorithm,
    CreationInfo,
    Document,
    ExternalPackageRef,
    ExternalPackageRefCategory,
    Package,
    Relationship,
    RelationshipType,
    SpdxNoAssertion,
)
from spdx_tools.spdx.writer.write_anything import write_file

DOCUMENT: Final = "SPDXRef-DOCUMENT"
IMAGE: Final = "SPDXRef-image"
NAMES: Final = {"operator": "chatbot-operator", "chatbot": "chatbot"}


def document(target: str, architecture: str, *, version: str, created: datetime) -> Document:
    """Describe the Python packages of one image on one architecture, with the wheel of each.

    The same lock, version and time give the same document.
    """
    name = f"{NAMES[target]}-{version}-{architecture}"
    packages = [_package(each, architecture) for each in locked.packages(target, architecture)]
    image = Package(
        spdx_id=IMAGE,
        name=NAMES[target],
        version=version,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        license_declared=spdx_licensing.parse("Apache-2.0"),
    )
    return Document(
        CreationInfo(
            spdx_version="SPDX-2.3",
            spdx_id=DOCUMENT,
            name=name,
            document_namespace=f"https://chatbot-operator.dev/spdx/{name}-{created:%Y%m%dT%H%M%SZ}",
            creators=[Actor(ActorType.TOOL, "chatbot-operator-sbom")],
            created=created,
        ),
        packages=[image, *packages],
        relationships=[
            Relationship(DOCUMENT, RelationshipType.DESCRIBES, IMAGE),
            *(Relationship(IMAGE, RelationshipType.CONTAINS, each.spdx_id) for each in packages),
        ],
    )


def created_at(environment: Mapping[str, str]) -> datetime:
    """Take the time from SOURCE_DATE_EPOCH where it is set, so that a build can be repeated."""
    epoch = environment.get("SOURCE_DATE_EPOCH")
    now = datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)
    return now.replace(microsecond=0, tzinfo=None)


def _package(package: locked.Package, architecture: str) -> Package:
    wheel = package.wheel(architecture)
    if wheel is None:
        raise LookupError(f"the lock has no wheel of {package.name} for {architecture}")
    purl = f"pkg:pypi/{package.name}@{package.version}"
    return Package(
        spdx_id=f"SPDXRef-{package.name}",
        name=package.name,
        version=package.version,
        file_name=wheel.file,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        checksums=[Checksum(ChecksumAlgorithm.SHA256, wheel.sha256)],
        license_declared=_licence(package),
        external_references=[
            ExternalPackageRef(ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", purl)
        ],
    )


def _licence(package: locked.Package) -> object:
    """Read what the package says as an SPDX expression (PEP 639); free text says nothing sure."""
    try:
        said = metadata(package.name)
    except PackageNotFoundError:
        return SpdxNoAssertion()
    expression = said["License-Expression"]
    if expression is None or said["Version"] != package.version:
        return SpdxNoAssertion()
    return spdx_licensing.parse(expression)


def main() -> int:
    """Write a document for each image and architecture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", required=True)
    parser.add_argument("directory", type=Path)
    asked = parser.parse_args()
    asked.directory.mkdir(parents=True, exist_ok=True)
    created = created_at(os.environ)
    for target in locked.EXTRAS:
        for architecture in locked.MACHINES:
            written = document(target, architecture, version=asked.version, created=created)
            path = asked.directory / f"{NAMES[target]}-{architecture}.spdx.json"
            write_file(written, str(path))
            sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
