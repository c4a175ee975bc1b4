"""Models on this machine that others have published: where they are, and loading them in silence.

Nothing is fetched here. Knows not what a model is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from rag.errors import DependencyMissing, ModelMissing, SourceError

_NAMES = {"SentenceTransformer": "encoder", "CrossEncoder": "cross-encoder"}


def model_folder(choice: str, setting: str) -> Path:
    """The folder of the model ``choice``, itself a folder or the id of one fetched before.

    Raises
    ------
    ModelMissing
        It is not on this machine; ``setting`` is where it was named.
    """
    folder = Path(choice).expanduser()
    if folder.is_dir():
        if (folder / "modules.json").is_file() or (folder / "config.json").is_file():
            return folder
        raise ModelMissing(choice, f"The folder {folder} holds no modules.json or config.json")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(choice, local_files_only=True))
    except HFValidationError as e:
        raise ModelMissing(choice, f"It is neither a folder nor a hub id; see `{setting}`") from e
    except LocalEntryNotFoundError as e:
        raise ModelMissing(
            choice, f"Run `hf download {choice}`, or set `{setting}` to the model's folder"
        ) from e


def load(kind: Literal["SentenceTransformer", "CrossEncoder"], folder: Path, device: str) -> Any:  # noqa: ANN401
    """The model in ``folder``, as sentence-transformers' class ``kind``.

    Raises
    ------
    DependencyMissing
        The packages of the extra ``torch`` are not installed.
    SourceError
        The folder holds no such model.
    """
    try:
        import sentence_transformers as library
    except ImportError as e:
        raise DependencyMissing("sentence-transformers", "torch") from e
    with quiet():
        try:
            return getattr(library, kind)(str(folder), device=device, local_files_only=True)
        except Exception as e:  # the libraries name no common one for a damaged folder
            raise SourceError(
                str(folder), f"is no usable {_NAMES[kind]}: {e}", remedy="Check the model's files"
            ) from e


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and no advice from the libraries while a model loads."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
