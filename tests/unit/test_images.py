"""What the images are made of, from the Dockerfile, the lock and the release workflow; nothing is built."""

from __future__ import annotations

import json
import re
import shlex
from datetime import datetime

import locked
import pytest
import sbom
import yaml
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

ROOT = locked.ROOT
IMAGES = tuple(locked.EXTRAS)


def stages():
    """Each stage: what it is from, and its instructions as (word, rest)."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", text))
    found, outside = {}, []
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, rest = line.split(None, 1)
        if word == "FROM":
            base, _, name = rest.split()
            instructions = []
            found[name] = (base, instructions)
        else:
            (instructions if found else outside).append((word, rest))
    return found, outside


def ancestry(name):
    """The instructions of an image's own stages, without what it copies from."""
    found, _ = stages()
    own = []
    while name in found:
        base, instructions = found[name]
        own = [*instructions, *own]
        name = base
    assert name == "${BASE}"
    return own


def the(word, instructions):
    return [rest for each, rest in instructions if each == word]


def test_images_come_from_one_base_by_argument_and_copy_from_their_own_stages_only():
    found, outside = stages()
    (base,) = the("ARG", outside)
    assert re.fullmatch(r"BASE=docker\.io/library/python:3\.\d+-slim-\w+", base)
    for name, (start, instructions) in found.items():
        earlier = list(found)[: list(found).index(name)]
        assert start == "${BASE}" or start in earlier
        sources = re.findall(r"--from=(\S+)", " ".join(the("COPY", instructions)))
        assert set(sources) <= set(earlier), f"{name} copies from elsewhere"
        assert not the("ADD", instructions), "ADD fetches"


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_its_base_bytecode_and_app_and_nothing_of_the_build(image):
    own = ancestry(image)
    assert the("COPY", own) == [f"--from={image}-installed /app /app"]
    assert all(isinstance(json.loads(run), list) for run in the("RUN", own)), "a shell is needed"


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_as_nobody_without_a_shell_and_leaves_probes_to_kubernetes(image):
    own = ancestry(image)
    assert the("USER", own) == ["65532:65532"]
    (entrypoint,) = the("ENTRYPOINT", own)
    package = {"operator": "chatbot_operator", "chatbot": "chatbot_app"}[image]
    assert json.loads(entrypoint) == ["/app/bin/python", "-m", package]
    assert not the("CMD", own)
    assert the("HEALTHCHECK", own) == ["NONE"]
    variables = dict(each.split("=") for line in the("ENV", own) for each in line.split())
    # Without it kubernetes' client does not load where no one set it: the user has no entry in passwd.
    assert variables["HOME"] == "/app"
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_says_what_it_is(image):
    own = ancestry(image)
    (labels,) = the("LABEL", own)
    said = dict(each.split("=", 1) for each in shlex.split(labels))
    prefix = "org.opencontainers.image."
    assert {f"{prefix}{name}" for name in ("title", "description", "licenses")} <= set(said)
    assert said[f"{prefix}version"] == "${VERSION}"
    assert said[f"{prefix}revision"] == "${REVISION}"
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert the("ARG", own) == [f"VERSION={version[1]}", "REVISION=unknown"]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_gets_the_locked_packages_of_its_extras_and_the_code_of_its_part(image):
    found, _ = stages()
    base, instructions = found[f"{image}-installed"]
    syncs = [run for run in the("RUN", instructions) if "uv sync" in run]
    assert base == "locked"
    assert len(syncs) == 2
    for sync in syncs:
        assert {"--frozen", "--no-dev"} <= set(sync.split())
        assert tuple(re.findall(r"--extra (\w+)", sync)) == locked.EXTRAS[image]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [place for line in the("COPY", instructions) for place in line.split()[:-1]]
    assert all(f"!{place}" in ignored for place in copied)
    others = {"operator": "chatbot/", "chatbot": "operator/"}[image]
    assert not [place for place in copied if place.startswith((others, "deploy/sandbox", "tests"))]


@pytest.mark.parametrize("architecture", locked.MACHINES)
@pytest.mark.parametrize("image", IMAGES)
def test_every_locked_package_has_a_wheel_so_that_nothing_is_compiled(image, architecture):
    packages = locked.packages(image, architecture)
    assert len(packages) > 20
    assert [each.name for each in packages if each.wheel(architecture) is None] == []


@pytest.mark.parametrize("image", IMAGES)
def test_the_sbom_is_spdx_with_every_package_its_version_and_its_hash(image):
    packages = locked.packages(image, "arm64")
    written = sbom.document(
        image,
        "arm64",
        version="1.2.3",
        created=datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001
    )
    assert validate_full_spdx_document(written) == []
    found = {
        (each.name, each.version): each.checksums[0].value
        for each in written.packages
        if each.checksums
    }
    assert found == {(p.name, p.version): p.wheel("arm64").sha256 for p in packages}


def workflow():
    return yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text("utf-8"))


def test_a_release_has_the_rights_it_needs_and_runs_only_what_is_pinned():
    found = workflow()
    assert found["permissions"] == {}
    assert "permissions" not in found["jobs"]["base"]
    assert found["jobs"]["image"]["permissions"] == {
        "contents": "read",
        "packages": "write",
        "id-token": "write",
    }
    used = [s["uses"] for job in found["jobs"].values() for s in job["steps"] if "uses" in s]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each) for each in used)
    scripts = [s["run"] for job in found["jobs"].values() for s in job["steps"] if "run" in s]
    assert not [s for s in scripts if "${{" in s], "a name in a script is a way into it"


def test_a_release_builds_both_images_for_both_architectures_with_all_that_proves_them():
    job = workflow()["jobs"]["image"]
    assert {each["target"]: each["name"] for each in job["strategy"]["matrix"]["include"]} == (
        sbom.NAMES
    )
    (build,) = [s["with"] for s in job["steps"] if s.get("id") == "build"]
    assert build["platforms"] == ",".join(f"linux/{each}" for each in locked.MACHINES)
    assert "BASE=${{ needs.base.outputs.pinned }}" in build["build-args"]
    assert (build["provenance"], build["sbom"]) == ("mode=max", True)
    (dockerfile_base,) = the("ARG", stages()[1])
    assert dockerfile_base == f"BASE={workflow()['env']['BASE']}"
