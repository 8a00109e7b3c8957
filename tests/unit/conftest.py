"""How much hypothesis tries: quick, and without a clock, which a busy machine would fail."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unit", deadline=None, max_examples=50)
settings.load_profile("unit")
