"""Finding and building the programs, with a `go` that only pretends to compile."""

from __future__ import annotations

import asyncio
import os

import pytest
from sandbox.cluster.binaries import COMPONENTS, BinariesError, cache_directory, find_or_build

GO = """#!/bin/sh
case $1 in
env) echo go1.26.8 ;;
list) printf 'fmt\\nos\\nexample.org/x\\n' ;;
build)
  echo built >> "$LOG"
  for last; do [ "$before" = -o ] && target=$last; before=$last; done
  echo fmt >&2
  if [ "$FAIL" ]; then echo 'main.go:1: broken' >&2; exit 1; fi
  sleep 0.3; mkdir -p "$(dirname "$target")"; echo program > "$target" ;;
esac
"""


@pytest.fixture
def environment(tmp_path):
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(GO)
    go.chmod(0o755)
    log = tmp_path / "log"
    path = f"{go.parent}:{os.environ['PATH']}"
    return {"PATH": path, "XDG_CACHE_HOME": str(tmp_path / "cache"), "LOG": str(log)}


async def test_builders_that_start_together_build_once(environment, tmp_path):
    found = await asyncio.gather(*(find_or_build(lambda _: None, environment) for _ in range(3)))

    assert set(found) == {cache_directory(environment)}
    assert (tmp_path / "log").read_text() == "built\n"
    assert {(found[0] / name).read_text() for name in COMPONENTS} == {"program\n"}


async def test_a_failed_build_tells_the_compilers_words_and_leaves_nothing(environment):
    with pytest.raises(BinariesError, match="broken"):
        await find_or_build(lambda _: None, environment | {"FAIL": "1"})

    assert not cache_directory(environment).exists()


async def test_given_binaries_win_and_what_they_lack_is_named(environment, tmp_path):
    given = tmp_path / "assets"
    given.mkdir()
    environment = environment | {"KUBEBUILDER_ASSETS": str(given)}
    for name in ("etcd", "kube-apiserver", "kubectl"):
        (given / name).touch()

    with pytest.raises(BinariesError, match="lacks kube-controller-manager, kube-scheduler"):
        await find_or_build(lambda _: None, environment)

    for name in COMPONENTS:
        (given / name).touch()
    assert await find_or_build(lambda _: None, environment) == given


UV = """#!/bin/sh
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/go/bin" && cp "$GO" "$2/go/bin/go"
"""


async def test_without_go_the_uv_that_runs_this_fetches_it(environment, tmp_path):
    uv = tmp_path / "uv"
    uv.write_text(UV)
    uv.chmod(0o755)
    go = tmp_path / "bin" / "go"
    bare = environment | {"PATH": "/usr/bin:/bin", "GO": str(go)}
    with pytest.raises(BinariesError, match="or `uv` to fetch it"):
        await find_or_build(lambda _: None, bare)

    found = await find_or_build(lambda _: None, bare | {"UV": str(uv)})

    assert (found / "etcd").read_text() == "program\n"
