"""Options that every command takes, and the workspace they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rag.settings import Settings
    from rag.workspace import Workspace

Home = Annotated[
    Path | None, typer.Option(help="Folder of the collections (RAG_HOME; ~/.saem by default).")
]
Collection = Annotated[str | None, typer.Option("--collection", "-c", help="Collection's name.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Config = Annotated[Path | None, typer.Option(help="Settings file (RAG_CONFIG; ./rag.toml).")]
TopK = Annotated[int | None, typer.Option("--top-k", "-k", help="How many passages.")]
ModeName = Annotated[str | None, typer.Option("--mode", "-m", help="bm25, tfidf, dense or hybrid.")]
LlmUrl = Annotated[str | None, typer.Option(help="OpenAI-compatible endpoint, such as vLLM's.")]
Program = Annotated[str | None, typer.Option(help="Prompt program, such as zero-shot or react.")]
Persona = Annotated[str | None, typer.Option(help="How the model is to speak: `rag prompts list`.")]
Llm = Annotated[str | None, typer.Option(help="smollm2, a GGUF file, vllm:MODEL, or none.")]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", "-f", help="field=value, or lang:ko AND year>=2024. May be repeated."),
]


def settings(home: Path | None, collection: str | None, **flags: Any) -> Settings:  # noqa: ANN401
    """Settings with the flags on top; ``config`` among them names the file."""
    from rag.settings import Settings

    config = flags.pop("config", None)
    return Settings.load(config, home=home, collection=collection, **flags)


def workspace(home: Path | None, collection: str | None, **flags: Any) -> Workspace:  # noqa: ANN401
    from rag.workspace import Workspace

    return Workspace(settings(home, collection, **flags))
