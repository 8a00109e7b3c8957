"""The files of a pod's volumes."""

from __future__ import annotations

import base64

import pytest
from sandbox.cluster.node.launching import Surroundings, UnlaunchableError
from sandbox.cluster.node.volumes import Volumes


class Files:
    """A pod with one volume, and the objects that its namespace has."""

    def __init__(self, directory, volume) -> None:
        self.objects = {}
        self.directory = directory
        labels = {"app": "chat", "tier": 'a "b"'}
        self.around = Surroundings(
            pod={
                "metadata": {"name": "p", "namespace": "team", "uid": "u", "labels": labels},
                "spec": {"nodeName": "sandbox", "volumes": [{"name": "v", **volume}]},
            },
            address="127.9.1.1",
            node_address="127.9.0.1",
            directory=directory,
            images={},
            environment={},
            lookup=lambda kind, _, name: self.objects.get((kind, name)),
        )
        self.volumes = Volumes(None, lambda: 0.0)

    async def now(self):
        await self.volumes.sync(self.around)
        root = self.directory / "volumes" / "v"
        files = (each for each in root.rglob("*") if each.is_file())
        return {str(each.relative_to(root)): each.read_text() for each in files}


async def test_a_config_map_is_a_file_per_key_and_follows_it(tmp_path):
    files = Files(tmp_path, {"configMap": {"name": "c"}})
    with pytest.raises(UnlaunchableError, match='configmap "c" not found'):
        await files.now()

    binary = {"b": base64.b64encode(b"2").decode()}
    files.objects["configMap", "c"] = {"data": {"a": "1"}, "binaryData": binary}
    assert await files.now() == {"a": "1", "b": "2"}
    files.objects["configMap", "c"] = {"data": {"a": "3"}}
    assert await files.now() == {"a": "3"}


async def test_keys_may_be_chosen_and_an_absent_one_holds_the_pod(tmp_path):
    chosen = {"name": "c", "items": [{"key": "a", "path": "deep/file"}]}
    files = Files(tmp_path, {"configMap": chosen})

    files.objects["configMap", "c"] = {"data": {"a": "1", "b": "2"}}
    assert await files.now() == {"deep/file": "1"}
    files.objects["configMap", "c"] = {"data": {"b": "2"}}
    with pytest.raises(UnlaunchableError, match="non-existent config key: a"):
        await files.now()


async def test_an_optional_secret_may_come_later(tmp_path):
    files = Files(tmp_path, {"secret": {"secretName": "s", "optional": True}})
    assert await files.now() == {}

    files.objects["secret", "s"] = {"data": {"a": base64.b64encode(b"hidden").decode()}}
    assert await files.now() == {"a": "hidden"}


async def test_sources_are_projected_into_one_directory(tmp_path):
    labels = {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}
    name = {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}
    sources = [{"configMap": {"name": "c"}}, {"downwardAPI": {"items": [labels, name]}}]
    files = Files(tmp_path, {"projected": {"sources": sources}})
    files.objects["configMap", "c"] = {"data": {"a": "1"}}

    assert await files.now() == {
        "a": "1",
        "labels": 'app="chat"\ntier="a \\"b\\""',
        "name": "p",
    }


async def test_what_a_process_writes_to_an_empty_directory_stays(tmp_path):
    files = Files(tmp_path, {"emptyDir": {}})
    await files.now()
    (tmp_path / "volumes" / "v" / "own").write_text("mine")

    assert await files.now() == {"own": "mine"}


async def test_a_volume_the_sandbox_lacks_is_named(tmp_path):
    files = Files(tmp_path, {"hostPath": {"path": "/"}})

    with pytest.raises(UnlaunchableError, match=r"no such volume in the sandbox.*hostPath"):
        await files.now()
