"""Techniques combined: expected losses, interactions, shares."""

from __future__ import annotations

__all__: list[str] = []
