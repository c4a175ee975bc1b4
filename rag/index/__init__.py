"""The searchable index: postings, vectors, catalogue, generations. Knows no files or prompts."""

from __future__ import annotations

from rag.index.collection import Collection
from rag.index.rows import Known, Place, Row, Stat, Status, Terms, Tuned

__all__ = ["Collection", "Known", "Place", "Row", "Stat", "Status", "Terms", "Tuned"]
