"""An encoder that runs a sentence-transformers model on this machine, never asking the network.

Importing this module, and making an encoder, loads no library; the first text does.
"""

from __future__ import annotations

import copy
import hashlib
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.encode.base import unit
from rag.encode.hub import load
from rag.encode.token_vectors import own
from rag.types import encodable

_QUESTION, _PASSAGE = ("query",), ("document", "passage", "corpus")
"""What prompts are called, the first one there counts."""
_WEIGHTS = {".json", ".safetensors", ".bin", ".txt", ".model"}
_SAMPLES = 64
_SAMPLE_BYTES = 1 << 16


class SentenceEncoder:
    """A sentence-transformers model with its own prompts for questions and passages.

    Weights are bfloat16 where the processor multiplies them natively, float32 elsewhere; the
    vectors agree to a cosine of 0.9999, so the fingerprint is the same. May be used by any number
    of threads; a question waits for no passage.

    Parameters
    ----------
    folder
        Gives the model's folder when it is first needed.
    dim
        Length of a vector, where it is known without loading the model.
    device
        ``cuda`` or ``cpu``.
    """

    def __init__(
        self,
        name: str,
        fingerprint: str,
        folder: Callable[[], Path],
        dim: int | None = None,
        *,
        device: str = "cpu",
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self._folder = folder
        self._dim = dim
        self._device = device
        self._batch = 8 if device == "cpu" else 128
        self._models: tuple[Any, Any] | None = None
        self._loading, self._answering, self._filling = (threading.Lock() for _ in range(3))
        self._recent = lru_cache(maxsize=64)(self._query)

    @property
    def dim(self) -> int:
        """Length of a vector; may load the model."""
        if self._dim is None:
            self._dim = len(self.query("dimension"))
        return self._dim

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of passages, (n, dim) float32, unit norm; (0, dim) for no texts.

        Raises
        ------
        SourceError
            The model cannot be loaded, or gave a vector that is zero or no number.
        """
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        _, model = self._loaded()
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
        vectors: list[Any] = [None] * len(texts)
        for start in range(0, len(order), self._batch):
            batch = order[start : start + self._batch]
            with self._filling:
                found = model.encode_document(
                    [encodable(texts[i]) for i in batch], **self._options()
                )
            for i, vector in zip(batch, found, strict=True):
                vectors[i] = vector.float().cpu().numpy()
        return unit(np.stack(vectors), self.name)

    def query(self, text: str) -> NDArray[np.float32]:
        """Vector of a question, (dim,) float32, unit norm; raises as `passages` does.

        The last ones are kept, as one answer asks for its question's several times.
        """
        return self._recent(text)

    def tokens(self, texts: Sequence[str], *, question: bool = False) -> list[NDArray[np.float32]]:
        """Vectors of each text's tokens, see `rag.encode.token_vectors.TokenEncoder`."""
        _, model = self._loaded()
        names = _QUESTION if question else _PASSAGE
        encode = model.encode_query if question else model.encode_document
        prompt = next((model.prompts[name] for name in names if model.prompts.get(name)), "")
        clean = [encodable(text) for text in texts]
        with self._filling:
            found = encode(clean, prompt=prompt, output_value="token_embeddings", **self._options())
            cut = model.tokenizer(
                [prompt + text for text in clean],
                truncation=True,
                max_length=model.max_seq_length,
                return_special_tokens_mask=True,
                return_offsets_mapping=True,
            )
        places = [
            own(special, offsets, len(prompt))
            for special, offsets in zip(
                cut["special_tokens_mask"], cut["offset_mapping"], strict=True
            )
        ]
        return [
            unit(vectors.float().cpu().numpy()[at], self.name)
            for vectors, at in zip(found, places, strict=True)
        ]

    def _query(self, text: str) -> NDArray[np.float32]:
        model, _ = self._loaded()
        with self._answering:
            found = model.encode_query([encodable(text)], **self._options())
        vector: NDArray[np.float32] = unit(found.float().cpu().numpy(), self.name)[0]
        vector.flags.writeable = False
        return vector

    def _options(self) -> dict[str, Any]:
        return {
            "batch_size": self._batch,
            "show_progress_bar": False,
            "convert_to_tensor": True,
        }

    def _loaded(self) -> tuple[Any, Any]:
        """The model twice over, for questions and for passages, with one set of weights.

        Tokenizers may not be used by two threads at a time; networks may.
        """
        with self._loading:
            if self._models is None:
                model = _load(self._folder(), self._device)
                shared = {id(t): t for t in (*model.parameters(), *model.buffers())}
                self._models = model, copy.deepcopy(model, shared)
            return self._models


def _load(folder: Path, device: str) -> Any:  # noqa: ANN401
    model = load("SentenceTransformer", folder, device)
    import torch

    return model.to(torch.bfloat16 if _native_bfloat16(device) else torch.float32).eval()


def folder_fingerprint(folder: Path) -> str:
    """Digest of a model folder's configuration and weights.

    Files above 4 MiB are represented by their size and 64 blocks spread over them: reading all of
    a large model would take longer than loading it.
    """
    h = hashlib.sha256()
    for file in sorted(f for f in folder.rglob("*") if f.suffix in _WEIGHTS and f.is_file()):
        size = file.stat().st_size
        h.update(f"{file.relative_to(folder).as_posix()}\0{size}\0".encode())
        with file.open("rb") as f:
            if size <= _SAMPLES * _SAMPLE_BYTES:
                h.update(f.read())
                continue
            for i in range(_SAMPLES):
                f.seek((size - _SAMPLE_BYTES) * i // (_SAMPLES - 1))
                h.update(f.read(_SAMPLE_BYTES))
    return h.hexdigest()[:16]


def _native_bfloat16(device: str) -> bool:
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return device == "cpu" and any(known.get(f) for f in ("avx512_bf16", "amx_bf16"))
