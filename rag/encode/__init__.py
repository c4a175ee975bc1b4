"""Text to vectors: the `Encoder` protocol and its kinds. Knows nothing of indexes.

Importing this package, and `load_encoder`, import no model library.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path

from rag import models
from rag.encode.base import Encoder
from rag.encode.device import pick
from rag.encode.hub import model_folder
from rag.errors import DependencyMissing
from rag.settings import Settings
from rag.types import Device

__all__ = ["Encoder", "load_encoder"]

_DEFAULT = "multilingual-e5-small"


def load_encoder(
    settings: Settings, device: Device = "auto", fingerprint: str | None = None
) -> Encoder | None:
    """The encoder that ``settings.encoder`` names; ``None`` for lexical search alone.

    No model is loaded yet: that happens with the first text.

    Parameters
    ----------
    device
        Where models of this machine run, see `rag.encode.device.pick`.
    fingerprint
        That of vectors which the encoder's are to be compared with. The default model then takes
        the format in which they were made, so what a GPU encoded a CPU can search.

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
    if choice == _DEFAULT:
        return _default(settings, pick(device), fingerprint)
    if not find_spec("sentence_transformers"):
        raise DependencyMissing("sentence-transformers", "torch")
    from rag.encode.sentence import SentenceEncoder, folder_fingerprint

    folder = model_folder(choice, "encoder").resolve()
    choice = str(folder) if Path(choice).expanduser().is_dir() else choice
    digest = folder_fingerprint(folder)
    return SentenceEncoder(choice, f"folder:{digest}", lambda: folder, device=pick(device))


def _default(settings: Settings, device: str, fingerprint: str | None) -> Encoder:
    """The default model: 8-bit on a CPU, exact on a GPU or where ``fingerprint`` is the exact's."""
    from rag.encode import e5, e5_graph
    from rag.encode.onnx_encoder import OnnxEncoder
    from rag.encode.sentence import SentenceEncoder

    if device == "cpu":
        for package in ("onnxruntime", "tokenizers"):
            if not find_spec(package):
                raise DependencyMissing(package, "local")
    file = models.path(_DEFAULT, settings.cache)
    version = models.MODELS[_DEFAULT].member_sha256[:16]
    exact = f"{_DEFAULT}:{e5.FORMAT}:{version}"
    int8 = f"{exact}:int8-{e5_graph.FORMAT}"
    if fingerprint not in (exact, int8):
        fingerprint = exact if device == "cuda" else int8
    if fingerprint == exact and device == "cuda":
        folder = partial(e5.folder, file, version)
        return SentenceEncoder(_DEFAULT, exact, folder, e5.DIM, device=device)
    precision: e5_graph.Precision = "float32" if fingerprint == exact else "int8"
    return OnnxEncoder(_DEFAULT, fingerprint, partial(e5.onnx_folder, file, version, precision))
