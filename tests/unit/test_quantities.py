"""The same amount, however it is written."""

from __future__ import annotations

import pytest
from chatbot_operator import manifests
from chatbot_operator.manifests.quantities import equal
from unit.bodies import wanted


@pytest.mark.parametrize(
    ("one", "other"),
    [("1000m", "1"), (1, "1"), ("0.5", "500m"), ("1024Mi", "1Gi"), ("2k", "2000"), ("1e3", "1e3")],
)
def test_amounts_are_compared_not_words(one, other):
    assert equal(one, other) == (one != "1e3")


@pytest.mark.parametrize(
    ("one", "other"), [("1", "2"), ("1G", "1Gi"), ("much", "much"), ("1", None), (True, "1")]
)
def test_other_amounts_and_words_are_not_equal(one, other):
    assert not equal(one, other)


def test_a_live_deployment_may_write_its_resources_otherwise():
    given = {"resources": {"requests": {"cpu": "1000m"}, "limits": {"memory": "1024Mi"}}}
    manifest = manifests.deployment(wanted(pods=given))
    live = manifests.deployment(wanted(pods=given))
    (container,) = live["spec"]["template"]["spec"]["containers"]
    container["resources"] = {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}
    assert not manifests.differs(live, manifest)
    container["resources"]["requests"]["cpu"] = "2"
    assert manifests.differs(live, manifest)
