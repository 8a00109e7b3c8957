"""A term that ends the process in time."""

from __future__ import annotations

import threading
import time

from chatbot_operator.tenure import Tenure


def test_a_term_that_was_never_renewed_never_ends():
    lost = threading.Event()
    Tenure(lost.set).check()
    assert not lost.is_set()


def test_a_term_ends_by_itself_while_the_loop_hangs():
    lost = threading.Event()
    tenure = Tenure(lost.set)
    begun = time.monotonic()
    tenure.renew(begun + 0.1)
    tenure.renew(begun + 0.3)
    assert lost.wait(5)
    assert time.monotonic() - begun >= 0.3
    tenure.end()


def test_nothing_leaves_after_the_end_of_a_term():
    asked = []
    tenure = Tenure(lambda: asked.append("lost"))
    tenure.end()
    tenure.renew(time.monotonic() + 60)
    tenure.check()
    assert asked == []
    tenure.renew(time.monotonic() - 1)
    tenure.check()
    assert asked[0] == "lost"
