"""What Prometheus would read of a process."""

from __future__ import annotations

import httpx2
from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """One reading of `/metrics`."""

    def __init__(self, text) -> None:
        self.text = text
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [each for family in self.families.values() for each in family.samples]

    def __call__(self, name, **labels) -> float:
        """The sum of the samples of a name that bear these labels."""
        return sum(
            each.value
            for each in self.samples
            if each.name == name and labels.items() <= each.labels.items()
        )

    def labels(self, name):
        """The labels of each sample of a name."""
        return [each.labels for each in self.samples if each.name == name]


def scrape(url):
    response = httpx2.get(url)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return Scrape(response.text)
