"""Every setting, in one frozen object; the only module that reads the environment.

Precedence: defaults < ``rag.toml`` < ``RAG_*`` variables < flags.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_type_hints

from rag.errors import ConfigError
from rag.rules import Rule
from rag.typed import typed

Fusion = Literal["linear", "convex", "theoretical", "rrf", "dbsf", "isr"]
Rerank = Literal["none", "linear", "cross-encoder", "late", "listwise"]
Rewriting = Literal["repair", "condense", "multi", "hyde", "decompose", "translate"]
Personal = Literal["resident", "phone", "email", "card"]
TUNABLE = ("k1", "b", "head_weight", "morpheme_weight", "fusion", "dense_weight", "depth",
           "rerank", "rerank_depth", "rerank_weights", "min_confidence")  # fmt: skip
"""What `rag tune` may set for a collection."""
COLLECTION_NAME = re.compile(r"[^\W_][\w.-]{0,63}")


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "saem"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, with their defaults.

    Attributes
    ----------
    home
        Folder that holds the collections.
    cache
        Folder that holds downloaded models.
    collection
        The collection meant when none is named.
    encoder
        ``multilingual-e5-small``, a sentence-transformers folder or hub id, the URL of an
        OpenAI-compatible endpoint (with ``encoder_model``), ``hashing``, or ``none`` for
        lexical search alone.
    device
        Where the encoder runs and dense indexes are built: ``auto`` is the GPU where one can be
        used.
    vector_index
        How vectors are searched: ``flat`` (exactly), ``hnsw`` or ``ivf`` (nearly so, faster);
        ``auto`` is ``flat`` up to some 200,000 of them.
    chunk_tokens, chunking
        Size that passages are cut to, in tokens, and how: along the document's structure, as
        windows of ``tokens``, by whole ``sentences``, where the meaning changes (``semantic``), or
        small passages to find within large ones to read (``parent-child``).
    context_lines
        Whether the language model writes a line for each passage that says what it is about.
    read_seconds, read_mb
        Time and memory that a file may take to read; one that needs more is reported.
    near_duplicates
        Share of common words in a row (Jaccard's) from which a document is left out for one like
        it, 0 to 1; with 0 none is, not even an equal one.
    quality
        Whether documents without sense and lines that all pages of a site repeat are left out.
    rules
        What documents whose path meets a glob are given: metadata and access groups.
    korean, japanese, chinese
        How words of these are found: by a dictionary, or by pairs of characters alone.
    words
        Words that dictionaries lack: names of products, people, methods.
    fetch_private
        Whether pages may be fetched from private addresses.
    watch
        Folders that the service keeps the collection in step with.
    mode, fusion, dense_weight
        How search ranks when not told otherwise. ``linear`` weighs what is known of a passage by
        ``rerank_weights``; the others weigh two lists, the dense one by ``dense_weight``, 0 to 1.
    k1, b, head_weight
        BM25's parameters; how often a term in title or headings counts, as against the text.
    morpheme_weight
        Share of a Korean word's score that its morphemes have; the rest have its bigrams.
    fuzzy
        Whether similar terms stand for those of a question that no passage has.
    depth
        Passages that each retriever contributes to a fusion, at least.
    rerank, rerank_depth, rerank_weights
        How the best ``rerank_depth`` passages are put in order once more; the weights
        (``feature=number, ...``) replace those that come with ``rag.search.rerank``.
    rerank_model, rerank_seconds
        The cross-encoder, a folder or hub id; how long a reranker may take before the order that
        it was given stays.
    diversity
        How much passages like better ones are put back, 0 to 1 (1 less MMR's lambda).
    per_document
        Passages of one document among the hits, at most; 0 for any number.
    neighbours
        Passages before and after each hit that are read with it.
    boosts
        What multiplies scores: ``language=ko: 1.2``, ``path=guide/**: 1.5``.
    recency_field, recency_days
        After how many days by this field a document counts half; 0 for no such decay.
    rewrite
        What else is searched for: ``repair`` (spelling and blanks), and by the language model
        ``condense`` (of a conversation), ``multi``, ``hyde``, ``decompose``, ``translate``.
    search_cache
        Searches whose results are remembered.
    min_confidence, vague_confidence
        Questions are refused below the first, 0 to 1, and answered with a warning below the
        second.
    program, persona
        How the language model is led to an answer, and how it is to speak.
    prompts, examples
        A folder of templates of one's own, and a file of examples for few-shot prompts.
    shots, shot_order
        Examples that a few-shot prompt shows, those most like the question, 0 for all; how they
        stand.
    samples, max_steps
        Replies that self-consistency takes, and steps of a program that goes step by step.
    llm
        ``smollm2``, a GGUF file, ``vllm:MODEL`` (vLLM is started beside the service),
        ``vllm-inprocess:MODEL`` (for evaluation), or ``none``; ``llm_url`` replaces it by an
        OpenAI-compatible endpoint (``http://localhost:8000/v1``).
    llm_timeout
        Seconds that the model may stay silent.
    vllm_args
        More arguments of `vllm serve`, as a shell reads them; ``llm_model`` then names a LoRA
        adapter.
    judge_url, judge_model, judge_key
        The endpoint that `rag eval` has answers judged by.
    entailment
        A cross-encoder that checks whether passages bear out an answer, a folder or hub id.
    answer_cache
        Likeness (cosine) from which an answer is given again for a like question; 0 for never.
    redact, blocked
        What is taken out of answers (``resident``, ``phone``, ``email``, ``card``), and topics on
        which none is given.
    context_tokens, answer_tokens, total_tokens, answer_seconds
        Token budgets of the passages for a question, of an answer and of all that a program has
        the model write; the time that an answer may take.
    max_query_chars, max_upload_mb
        Larger questions and uploads are refused.
    explicit
        Names of the settings that came from a file, a variable or a flag; no setting itself.
    query_log
        Whether the service writes questions, what it found and votes to ``query-log.jsonl`` in
        the collection's folder.
    """

    home: Path = field(default_factory=lambda: Path.home() / ".saem")
    cache: Path = field(default_factory=_cache)
    collection: str = "default"
    encoder: str = "multilingual-e5-small"
    encoder_model: str = ""
    encoder_key: str = field(default="", repr=False)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    vector_index: Literal["auto", "flat", "hnsw", "ivf"] = "auto"
    chunk_tokens: int = 300
    chunking: Literal["structural", "tokens", "sentences", "semantic", "parent-child"] = (
        "structural"
    )
    context_lines: bool = False
    read_seconds: float = 30.0
    read_mb: int = 512
    near_duplicates: float = 0.9
    quality: bool = True
    rules: tuple[Rule, ...] = ()
    korean: Literal["mecab", "kiwi", "bigrams"] = "mecab"
    japanese: Literal["bigrams", "sudachi"] = "bigrams"
    chinese: Literal["bigrams", "jieba"] = "bigrams"
    words: tuple[str, ...] = ()
    fetch_private: bool = False
    watch: tuple[str, ...] = ()
    mode: Literal["bm25", "tfidf", "dense", "hybrid"] = "hybrid"
    fusion: Fusion = "linear"
    dense_weight: float = 0.5
    k1: float = 1.2
    b: float = 0.75
    head_weight: float = 2.5
    morpheme_weight: float = 0.7
    fuzzy: bool = True
    top_k: int = 10
    depth: int = 100
    rerank: Rerank = "none"
    rerank_depth: int = 30
    rerank_weights: str = ""
    rerank_model: str = ""
    rerank_seconds: float = 2.0
    diversity: float = 0.0
    per_document: int = 0
    neighbours: int = 0
    boosts: tuple[str, ...] = ()
    recency_field: str = "date"
    recency_days: float = 0.0
    rewrite: tuple[Rewriting, ...] = ()
    search_cache: int = 256
    min_confidence: float = 0.15
    vague_confidence: float = 0.4
    program: str = "zero-shot"
    persona: str = ""
    prompts: str = ""
    examples: str = ""
    shots: int = 4
    shot_order: Literal["file", "nearest-first", "nearest-last"] = "nearest-last"
    samples: int = 5
    max_steps: int = 6
    llm: str = "none"
    llm_url: str = ""
    llm_model: str = ""
    llm_key: str = field(default="", repr=False)
    llm_timeout: float = 60.0
    vllm_args: str = ""
    judge_url: str = ""
    judge_model: str = ""
    judge_key: str = field(default="", repr=False)
    entailment: str = ""
    answer_cache: float = 0.0
    redact: tuple[Personal, ...] = ()
    blocked: tuple[str, ...] = ()
    context_tokens: int = 1500
    answer_tokens: int = 300
    total_tokens: int = 4000
    answer_seconds: float = 300.0
    max_query_chars: int = 4000
    max_upload_mb: int = 50
    query_log: bool = False
    host: str = "127.0.0.1"
    port: int = 8080
    explicit: frozenset[str] = field(default=frozenset(), repr=False, compare=False)

    def __post_init__(self) -> None:
        if not COLLECTION_NAME.fullmatch(self.collection):
            raise ConfigError(
                f"'{self.collection}' is no name for a collection",
                remedy="Use up to 64 letters, digits, '.', '_' and '-', a letter or digit first",
            )
        positive = ("chunk_tokens", "top_k", "depth", "rerank_depth", "context_tokens",
                    "answer_tokens", "llm_timeout", "max_query_chars", "max_upload_mb",
                    "read_seconds", "read_mb", "rerank_seconds", "samples", "max_steps",
                    "total_tokens", "answer_seconds")  # fmt: skip
        for name in positive:
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be above 0, not {getattr(self, name)}")
        for name, low, high in (
            ("dense_weight", 0, 1),
            ("b", 0, 1),
            ("near_duplicates", 0, 1),
            ("morpheme_weight", 0, 1),
            ("k1", 0, 100),
            ("head_weight", 0, 100),
            ("min_confidence", 0, 1),
            ("vague_confidence", 0, 1),
            ("diversity", 0, 1),
            ("answer_cache", 0, 1),
            ("per_document", 0, 1000),
            ("neighbours", 0, 100),
            ("shots", 0, 100),
            ("recency_days", 0, 1e6),
            ("search_cache", 0, 1e6),
            ("port", 0, 65535),
        ):
            if not low <= getattr(self, name) <= high:
                raise ConfigError(f"{name} must be {low} to {high}, not {getattr(self, name)}")

    @classmethod
    def load(cls, config: Path | None = None, **flags: Any) -> Settings:  # noqa: ANN401
        """Settings from all four places; flags that are ``None`` do not count.

        Raises
        ------
        ConfigError
            An unknown name, a value of the wrong type, or an unreadable file.
        """
        values: dict[str, Any] = {}
        named = config or os.environ.get("RAG_CONFIG")
        path = Path(named or "rag.toml")
        if path.is_file():
            try:
                found = tomllib.loads(path.read_text("utf-8"))
            except (OSError, ValueError) as e:
                raise ConfigError(f"{path} cannot be read: {e}") from e
            values |= {name: _typed(name, value, str(path)) for name, value in found.items()}
        elif named:
            raise ConfigError(f"there is no settings file {path}")
        for f in fields():
            variable = f"RAG_{f.name.upper()}"
            value = os.environ.get(variable)
            if value or (value is not None and f.type == "str"):
                values[f.name] = _typed(f.name, value, variable)
        values |= {n: _typed(n, v, f"--{n}") for n, v in flags.items() if v is not None}
        return cls(**values, explicit=frozenset(values))

    def over(self, tuned: Mapping[str, Any]) -> Settings:
        """A copy where ``tuned`` values take the place of defaults, not of explicit settings.

        Only settings in ``TUNABLE`` are taken.

        Raises
        ------
        ConfigError
            A value is impossible.
        """
        usual = Settings()
        values = {
            name: _typed(name, tuned[name], "the collection's tuning")
            for name in TUNABLE
            if name in tuned
            and name not in self.explicit
            and getattr(self, name) == getattr(usual, name)
        }
        return dataclasses.replace(self, **values)

    def with_values(self, values: Mapping[str, Any], origin: str) -> Settings:
        """A copy with ``values`` as ``origin`` writes them, checked as those of a file are.

        Raises
        ------
        ConfigError
            A name is unknown or a value impossible.
        """
        return self.replace(**{n: _typed(n, v, origin) for n, v in values.items()})

    def replace(self, **changes: Any) -> Settings:  # noqa: ANN401
        """A copy with ``changes`` applied and checked; they are explicit from then on."""
        return dataclasses.replace(self, **changes, explicit=self.explicit | changes.keys())


def fields() -> list[dataclasses.Field[Any]]:
    """All settings, in order."""
    return [f for f in dataclasses.fields(Settings) if f.compare]


def _typed(name: str, value: Any, origin: str) -> Any:  # noqa: ANN401
    """``value`` as the type that setting ``name`` has."""
    hints = get_type_hints(Settings)
    if name not in (known := [f.name for f in fields()]):
        close = difflib.get_close_matches(name, known, 1)
        raise ConfigError(
            f"{origin} names an unknown setting '{name}'",
            remedy=f"Did you mean '{close[0]}'?" if close else "See the list in the README",
        )
    return typed(hints[name], name, value, origin)
