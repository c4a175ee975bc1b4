"""The command ``rag``. The one place that sees everything; commands import what they need."""

from __future__ import annotations

from rag.cli.app import main

__all__ = ["main"]
