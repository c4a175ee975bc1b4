"""A small folder of documents, Korean and English, and a workspace over it without weights."""

from __future__ import annotations

from pathlib import Path

from indexer.report import Report
from rag.settings import Settings
from rag.workspace import Workspace

FILES = {
    "en/cors.md": (
        "# CORS\n\nThe middleware allows another origin to call the API. "
        "List the allowed origins in `allow_origins`.\n\n"
        "## Wildcards\n\nA star allows every origin, without credentials.\n"
    ),
    "en/tea.md": "# Tea\n\nGreen tea is brewed at 80 degrees. Black tea needs boiling water.\n",
    "ko/cors.md": (
        "# 교차 출처 리소스 공유\n\n미들웨어로 다른 출처의 호출을 허용합니다. "
        "허용할 출처의 목록을 정하세요.\n"
    ),
    "ko/tea.md": "# 차\n\n녹차는 80도에서 우립니다. 홍차는 끓는 물이 필요합니다.\n",
    "notes.txt": "The spare key is under the flower pot.\n\n여분의 열쇠는 화분 아래에 있습니다.\n",
}


def write(folder: Path, files: dict[str, str] | None = None) -> Path:
    for name, text in (FILES if files is None else files).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return folder


_PLAIN: dict[str, object] = {"encoder": "hashing", "llm": "none", "vague_confidence": 0.0}
"""Confidence is calibrated with the default encoder."""


def settings(home: Path, **changes: object) -> Settings:
    return Settings.load(home=home, **(_PLAIN | changes))


def index(saem: Workspace, *sources: Path, vectors: bool = True, name: str | None = None) -> Report:
    if vectors:
        return saem.index(*sources, name=name)
    return saem.sync(sources, name)
