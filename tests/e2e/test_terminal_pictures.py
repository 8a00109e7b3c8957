"""One picture of the command line is taken as `make terminal` takes them all."""

from __future__ import annotations

import re
from html import unescape

from terminal_pictures import PICTURES, taken


def test_a_picture_shows_what_the_command_says(sandbox, namespace):
    (picture,) = [each for each in PICTURES if each.name == "why-not-allowed"]
    sandbox.kubectl("create", "namespace", "sales")
    try:
        svg = taken(sandbox, picture)
    finally:
        sandbox.kubectl("delete", "namespace", "sales", "--wait=false")
    shown = re.findall(r"<text[^>]*>(.*?)</text>", svg)
    text = unescape("".join(shown)).replace("\xa0", " ")
    assert "kubectl chatbot why quotes -n sales" in text
    assert "✘ Permitted (wrong)" in text
    assert "NamespaceNotAllowed" in text
    assert '"path":"/spec/allowedNamespaces/names/-","value":"sales"' in text
    assert "2 of 2 pods ready in chatbot-operator" in text
    assert "@font-face" not in svg
