"""What the page brings along of other people's work is as published."""

from __future__ import annotations

from chatbot.vendoring import VENDOR, digest, manifest


def test_every_file_is_as_recorded_and_none_is_there_besides():
    recorded = {file["path"]: file["sha256"] for each in manifest() for file in each["files"]}
    found = {
        path.relative_to(VENDOR).as_posix(): digest(path.read_bytes())
        for path in VENDOR.rglob("*")
        if path.is_file() and path.parent != VENDOR
    }
    assert found == recorded
    assert {path.name for path in VENDOR.iterdir() if path.is_file()} == {
        "README.md",
        "manifest.json",
    }


def test_every_package_keeps_its_licence():
    for package in manifest():
        folder = {file["path"].split("/")[0] for file in package["files"]}
        assert len(folder) == 1, package["name"]
        assert (VENDOR / folder.pop() / "LICENSE").is_file()
        assert package["licence"] in {"MIT", "BSD-3-Clause"}
        assert all(len(file["sha256"]) == 64 for file in package["files"])
