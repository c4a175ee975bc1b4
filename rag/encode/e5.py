"""Rebuilds ``multilingual-e5-small`` from its packed file as a sentence-transformers folder.

Knows neither torch nor where the file comes from.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from rag.encode.e5_file import SHAPE, Packed, unpack
from rag.errors import DependencyMissing, SourceError

DIM = SHAPE[0]
FORMAT = 1
"""Raised when the conversion changes; part of the folder's name and the encoder's fingerprint."""

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
        The packages of the extra ``local`` are not installed.
    """
    target = file.with_name(f"sentence-transformers-{FORMAT}-{version}")
    if target.is_dir():
        return target
    packed = unpack(file)
    try:
        made = Path(tempfile.mkdtemp(prefix=".converting-", dir=file.parent))
        try:
            _write(packed, made)
            made.chmod(0o755)
            made.rename(target)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as e:
        if not target.is_dir():  # another process may have made it meanwhile
            raise SourceError(str(target), f"cannot be written: {e}") from e
    return target


def _write(packed: Packed, to: Path) -> None:
    try:
        from safetensors.numpy import save_file
    except ImportError as e:
        raise DependencyMissing("sentence-transformers", "local") from e

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
            "prompts": {"query": "query: ", "document": "passage: "},
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
    weights = to / "model.safetensors"
    save_file(packed.tensors | pooler, weights, metadata={"format": "pt"})
    weights.chmod(0o644)
    for path in to.rglob("*"):
        if path.is_file():
            with path.open("rb") as written:
                os.fsync(written.fileno())


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
