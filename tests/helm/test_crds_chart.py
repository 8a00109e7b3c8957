"""The chart of the CRDs: those of crds/, and they stay."""

from __future__ import annotations

import yaml
from crds_chart import CRDS, TEMPLATES, templates
from helm_program import Helm


def test_the_templates_are_written_from_the_crds():
    written = {path.name: path.read_text("utf-8") for path in TEMPLATES.glob("*.yaml")}
    assert written == templates(), "make charts"


def test_what_it_renders_is_crds_and_is_kept(helm: Helm):
    rendered = {e["metadata"]["name"]: e for e in helm.rendered({}, "chatbot-operator-crds")}
    for each in rendered.values():
        assert each["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    ours = [yaml.safe_load(path.read_text("utf-8")) for path in CRDS.glob("*.yaml")]
    assert rendered == {each["metadata"]["name"]: each for each in ours}
