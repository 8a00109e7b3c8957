"""Fixtures of these tests."""

from __future__ import annotations

from helm_program import helm

__all__ = ["helm"]
