"""Text to vectors: the `Encoder` protocol and its four kinds. Knows nothing of indexes.

Importing this package, and `load_encoder`, import no model library.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path

from rag import models
from rag.encode.base import Encoder
from rag.errors import DependencyMissing, ModelMissing
from rag.settings import Settings

__all__ = ["Encoder", "load_encoder"]

_DEFAULT = "multilingual-e5-small"


def load_encoder(settings: Settings) -> Encoder | None:
    """The encoder that ``settings.encoder`` names; ``None`` for lexical search alone.

    No model is loaded yet: that happens with the first text.

    Raises
    ------
    ModelMissing
        The model's files are not on this machine. Nothing is fetched here.
    DependencyMissing
        The model needs the packages of an extra.
    ConfigError
        The encoder is an endpoint and no model is named.
    """
    choice = settings.encoder
    if choice == "none":
        return None
    if choice == "hashing":
        from rag.encode.hashing import HashingEncoder

        return HashingEncoder()
    if choice.startswith(("http://", "https://")):
        from rag.encode.endpoint import EndpointEncoder

        return EndpointEncoder(
            choice, settings.encoder_model, settings.encoder_key, timeout=settings.llm_timeout
        )
    if not find_spec("sentence_transformers"):
        raise DependencyMissing("sentence-transformers", "local")
    from rag.encode.sentence import SentenceEncoder, folder_fingerprint

    if choice == _DEFAULT:
        from rag.encode import e5

        file = models.path(choice, settings.cache)
        version = models.MODELS[choice].member_sha256[:16]
        return SentenceEncoder(
            choice, f"{choice}:{e5.FORMAT}:{version}", partial(e5.folder, file, version), e5.DIM
        )
    folder = _folder(choice)
    return SentenceEncoder(choice, f"folder:{folder_fingerprint(folder)}", lambda: folder)


def _folder(choice: str) -> Path:
    """The folder of the model ``choice``, itself a folder or the id of one fetched before."""
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
        raise ModelMissing(choice, "It is neither a folder nor a hub id; see `encoder`") from e
    except LocalEntryNotFoundError as e:
        raise ModelMissing(
            choice, f"Run `hf download {choice}`, or set `encoder` to the model's folder"
        ) from e
