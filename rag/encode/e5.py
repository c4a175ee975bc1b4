"""Rebuilds ``multilingual-e5-small`` from its packed file, in folders next to it.

One is for sentence-transformers, others for ONNX Runtime. Knows neither torch nor where the file
comes from.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rag.encode import e5_graph
from rag.encode.e5_file import SHAPE, WORDS, Packed, unpack, weights
from rag.errors import DependencyMissing, SourceError

DIM = SHAPE[0]
FORMAT = 1
"""Raised when the conversion changes; part of the folder's name and the encoder's fingerprint."""

QUERY, PASSAGE = "query: ", "passage: "
"""What the model was trained to see before a question and before a passage."""
_SUMS = "sha256.json"
_CHECKED = ("model.onnx", "tokenizer.json", "positions.npy", "words.npy")
_KEEP = {"～": "\U000ff05e"}
"""NFKC would change these pieces of the vocabulary; a private-use character takes their place."""


def folder(file: Path, version: str) -> Path:
    """The sentence-transformers folder made from ``file``, next to it; made now if not there yet.

    ``version`` tells one content of ``file`` from another. Processes that convert at the same time
    all end with the one whole folder.

    Raises
    ------
    SourceError
        The file is damaged, or the folder cannot be written.
    DependencyMissing
        The packages of the extra ``torch`` are not installed.
    """
    return _made(file, f"sentence-transformers-{FORMAT}-{version}", _write)


def onnx_folder(file: Path, version: str, precision: e5_graph.Precision) -> Path:
    """As `folder`, for ONNX Runtime: ``model.onnx``, ``tokenizer.json`` and embeddings."""
    name = f"onnx-{precision}-{FORMAT}.{e5_graph.FORMAT}-{version}"
    return _made(file, name, partial(_write_onnx, precision=precision))


def check(folder: Path) -> None:
    """Compare the files of an `onnx_folder` with the checksums that it holds.

    Raises
    ------
    SourceError
        A file is damaged or missing.
    """
    remedy = f"Delete the folder {folder}; it is made again from the model's file"
    try:
        expected: dict[str, str] = json.loads((folder / _SUMS).read_text("utf-8"))
        for name in _CHECKED:
            if _sha256(folder / name) != expected[name]:
                raise SourceError(str(folder / name), "its checksum differs", remedy=remedy)
    except OSError as e:
        raise SourceError(str(folder), f"is damaged: {e}", remedy=remedy) from e
    except (ValueError, LookupError, TypeError) as e:
        raise SourceError(str(folder / _SUMS), "holds no checksums", remedy=remedy) from e


def _made(file: Path, name: str, write: Callable[[Packed, Path], None]) -> Path:
    target = file.with_name(name)
    if target.is_dir():
        return target
    packed = unpack(file)
    try:
        made = Path(tempfile.mkdtemp(prefix=".converting-", dir=file.parent))
        try:
            write(packed, made)
            for path in made.rglob("*"):
                if path.is_file():
                    with path.open("rb") as written:
                        os.fsync(written.fileno())
            made.chmod(0o755)
            made.rename(target)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as e:
        if not target.is_dir():  # another process may have made it meanwhile
            raise SourceError(str(target), f"cannot be written: {e}") from e
    return target


def _write_onnx(packed: Packed, to: Path, precision: e5_graph.Precision) -> None:
    e5_graph.write(packed, to / "model.onnx", precision)
    _tokenizer(packed).save(str(to / "tokenizer.json"), pretty=False)
    positions, types = (
        packed.tensors[f"embeddings.{kind}_embeddings.weight"]
        for kind in ("position", "token_type")
    )
    np.save(to / "positions.npy", positions + types[0])
    np.save(to / "words.npy", packed.words)
    sums = {name: _sha256(to / name) for name in _CHECKED}
    (to / _SUMS).write_text(json.dumps(sums, indent=1), "utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _write(packed: Packed, to: Path) -> None:
    try:
        from safetensors.numpy import save_file
    except ImportError as e:
        raise DependencyMissing("sentence-transformers", "torch") from e

    hidden, layers, heads, inner, vocabulary, positions, types = SHAPE
    bos, eos, pad, unk = (packed.pieces[i][0] for i in packed.special)
    module = "sentence_transformers.models."
    files: dict[str, object] = {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": inner,
            "vocab_size": vocabulary,
            "max_position_embeddings": positions,
            "type_vocab_size": types,
            "layer_norm_eps": packed.epsilon,
            "hidden_act": "gelu",
            "pad_token_id": packed.special[2],
            "dtype": "float32",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": positions,
            **{"bos_token": bos, "cls_token": bos, "eos_token": eos, "sep_token": eos},
            **{"pad_token": pad, "unk_token": unk, "mask_token": "<mask>"},
        },
        "sentence_bert_config.json": {"max_seq_length": positions, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": hidden,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": module + "Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": module + "Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": module + "Normalize"},
        ],
        "config_sentence_transformers.json": {
            "prompts": {"query": QUERY, "document": PASSAGE},
            "similarity_fn_name": "cosine",
        },
    }
    for name in ("1_Pooling", "2_Normalize"):
        (to / name).mkdir()
    for name, content in files.items():
        (to / name).write_text(json.dumps(content, indent=1), "utf-8")
    _tokenizer(packed).save(str(to / "tokenizer.json"))
    # Mean pooling never asks BERT's own pooler; without weights the library would warn each time.
    pooler = {
        "pooler.dense.weight": np.zeros((hidden, hidden), np.float32),
        "pooler.dense.bias": np.zeros(hidden, np.float32),
    }
    model = to / "model.safetensors"
    words = {WORDS: weights(packed.words)}
    save_file(packed.tensors | words | pooler, model, metadata={"format": "pt"})
    model.chmod(0o644)


def _tokenizer(packed: Packed) -> Any:  # noqa: ANN401
    """The ``tokenizers.Tokenizer`` that the file describes.

    The map is NFKC but for the characters that it removes or turns into spaces, and those that it
    leaves alone. NFKC as a whole also joins decomposed Hangul, as the model's own training did and
    a map of single characters cannot.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    removed = [c for c, replacement in packed.normalisation.items() if replacement == ""]
    spaces = [c for c, replacement in packed.normalisation.items() if replacement == " "]
    steps = [(f"[{''.join(removed)}]", ""), (f"[{''.join(spaces)}]", " "), *_KEEP.items()]
    bos, eos, _, unk = packed.special
    tokenizer = Tokenizer(models.Unigram(packed.pieces, unk_id=unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            *(normalizers.Replace(Regex(pattern), to) for pattern, to in steps),
            normalizers.NFKC(),
            *(normalizers.Replace(stand_in, kept) for kept, stand_in in _KEEP.items()),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    first, last = packed.pieces[bos][0], packed.pieces[eos][0]
    tokenizer.post_processor = TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} {last} $B {last}",
        special_tokens=[(first, bos), (last, eos)],
    )
    return tokenizer
