"""A small data set, Korean and English, whose answers are known by hand."""

from __future__ import annotations

from eval.dataset import Dataset, Query
from rag.types import Document

TEXTS = {
    "tea": ("Tea", "Green tea is brewed at 80 degrees. Black tea needs boiling water."),
    "cors": ("CORS", "The middleware lets another origin call the API."),
    "key": ("Keys", "The spare key is under the flower pot, beside the tea house."),
    "cha": ("차", "녹차는 80도에서 우립니다. 홍차는 끓는 물이 필요합니다."),
    "yeolsoe": ("열쇠", "여분의 열쇠는 화분 아래에 있습니다."),
}


def documents() -> tuple[Document, ...]:
    return tuple(
        Document(f"small/{path}", path, title, text) for path, (title, text) in TEXTS.items()
    )


def dataset(copies: int = 1) -> Dataset:
    """Five queries, each ``copies`` times under other ids, and one that nothing answers."""
    asked = {
        "how hot is green tea brewed": "tea",
        "which middleware allows an origin": "cors",
        "where is the spare key": "key",
        "홍차에 필요한 물": "cha",
        "화분 아래의 열쇠": "yeolsoe",
    }
    queries = [
        Query(f"{path}{i or ''}", text, {path: 1})
        for i in range(copies)
        for text, path in asked.items()
    ]
    return Dataset("small", (*queries, Query("none", "zebra", answerable=False)), documents())
