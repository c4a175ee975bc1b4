"""What settings name, made when first asked for: encoders, the language model, what files become.

Knows neither collections by name nor HTTP and terminals.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from indexer.chunk import load_chunker
from indexer.context_lines import Lined
from indexer.reading import Readers
from indexer.recipe import Recipe
from rag.analysis import load_analyser
from rag.answer import judges
from rag.answer.llm import LLM, load_llm
from rag.answer.verify import Judge
from rag.encode import Encoder, load_encoder
from rag.errors import ConfigError, DependencyMissing, IncompatibleIndex, ModelMissing
from rag.index import Collection
from rag.index.spaces import Space
from rag.search.ask import Ask
from rag.search.rerankers import Reranker, load_reranker
from rag.settings import Settings
from rag.types import Message

_ENDPOINT = "endpoint:"
_LINE_TOKENS = 80


class Tools:
    """The tools that ``settings`` name; safe to share between threads."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.load()
        self._lock = threading.RLock()
        self._encoders: dict[tuple[str, str, str | None], Encoder | None] = {}
        self._llm: LLM | None = None
        self._recipe: Recipe | None = None
        self._readers: Readers | None = None
        self._rerankers: dict[str, Reranker | None] = {}
        self._judge: Judge | None = None

    def recipe(self) -> Recipe:
        """What files are made into passages with; without lines by a language model.

        Raises
        ------
        ConfigError, DependencyMissing, ModelMissing
            Something that the settings name is not to be had.
        """
        with self._lock:
            if self._recipe is None:
                settings = self.settings
                encoder = self.encoder() if settings.chunking == "semantic" else None
                chunker = load_chunker(settings, encoder)
                self._recipe = Recipe(settings, chunker, load_analyser(settings))
            return self._recipe

    @contextmanager
    def lined(self, collection: Collection) -> Iterator[Recipe]:
        """``recipe``, with a line by the language model above each passage if the settings say so.

        Raises
        ------
        ConfigError
            They do, and there is no model.
        """
        recipe = self.recipe()
        if not self.settings.context_lines:
            yield recipe
            return
        llm = self._needed_llm("context_lines")

        def write(rules: str, text: str) -> str:
            chat = [Message("system", rules), Message("user", text)]
            return "".join(llm.stream(chat, max_tokens=_LINE_TOKENS))

        threads = llm.at_once
        lined = Lined(recipe.chunker, collection.path, write, llm.name, threads)
        try:
            yield replace(recipe, chunker=lined)
        finally:
            lined.close()

    def ready(self) -> None:
        """Make sure that files can be made into passages as the settings say.

        Raises
        ------
        ConfigError, DependencyMissing, ModelMissing
            Something that they name is not to be had.
        """
        _ = self.recipe().analyser.fingerprint
        if self.settings.context_lines:
            self._needed_llm("context_lines")

    def _needed_llm(self, by: str) -> LLM:
        if (llm := self.llm()) is None:
            raise ConfigError(f"{by} needs a language model", remedy="Set `llm` or `llm_url`")
        return llm

    def readers(self) -> Readers:
        """Processes that read files which come one by one."""
        with self._lock:
            if self._readers is None:
                self._readers = Readers(1, self.settings.read_seconds, self.settings.read_mb)
            return self._readers

    def encoder(self, of: Collection | None = None) -> Encoder | None:
        """The encoder that the settings name, ``None`` for lexical search alone.

        Parameters
        ----------
        of
            A collection: the encoder that serves it, which may be another than the one set.

        Raises
        ------
        DependencyMissing, ModelMissing
            It is not on this machine.
        IncompatibleIndex
            It is not known where to find the one that serves.
        """
        serving = next((s for s in of.spaces() if s.state == "serving"), None) if of else None
        if serving is None or self.settings.encoder == "none":
            return self._load(self.settings)
        missing: DependencyMissing | ModelMissing | None = None
        for settings in (self.settings, self._settings_of(serving)):
            try:
                found = self._load(settings, serving.fingerprint)
            except (DependencyMissing, ModelMissing) as e:
                missing = missing or e
            else:
                if found and found.fingerprint == serving.fingerprint:
                    return found
        raise missing or IncompatibleIndex("encoder", serving.fingerprint, self.settings.encoder)

    def _settings_of(self, space: Space) -> Settings:
        """Settings that should name a space's encoder; an endpoint is the one set, if any."""
        if space.fingerprint.startswith(_ENDPOINT):
            return self.settings.replace(encoder_model=space.fingerprint.removeprefix(_ENDPOINT))
        return self.settings.replace(encoder=space.name) if space.name else self.settings

    def _load(self, settings: Settings, fingerprint: str | None = None) -> Encoder | None:
        key = settings.encoder, settings.encoder_model, fingerprint
        with self._lock:
            if key not in self._encoders:
                self._encoders[key] = load_encoder(settings, settings.device, fingerprint)
            return self._encoders[key]

    def llm(self) -> LLM | None:
        """The language model that the settings name, ``None`` for quoting alone."""
        with self._lock:
            if self._llm is None:
                self._llm = load_llm(self.settings)
            return self._llm

    def ask(self, seconds: float) -> Ask | None:
        """Asks the language model for a reply within ``seconds``; ``None`` where none is set.

        The model is made when it is first asked: searches that ask nothing need none.
        """
        if self.settings.llm == "none" and not self.settings.llm_url:
            return None

        def ask(system: str, user: str, max_tokens: int) -> str:
            llm = self._needed_llm("rewriting")
            chat = [Message("system", system), Message("user", user)]
            return "".join(llm.stream(chat, max_tokens=max_tokens, seconds=seconds))

        return ask

    def reranker(self, encoder: Encoder | None) -> Reranker | None:
        """The model that puts passages in order once more, if the settings name one.

        Raises
        ------
        ConfigError, DependencyMissing, ModelMissing
            It is not to be had.
        """
        with self._lock:
            key = encoder.fingerprint if encoder else ""
            if key not in self._rerankers:
                ask = self.ask(self.settings.rerank_seconds)
                self._rerankers[key] = load_reranker(self.settings, encoder, ask)
            return self._rerankers[key]

    def judge(self) -> Judge | None:
        """What says whether passages bear out an answer, if the settings name such.

        Raises
        ------
        ConfigError, ModelMissing
            It is not to be had.
        """
        choice = self.settings.entailment
        with self._lock:
            if choice and self._judge is None:
                self._judge = (
                    judges.asked(self._needed_llm("entailment = llm"))
                    if choice == "llm"
                    else judges.entailment(choice, self.settings.device)
                )
            return self._judge

    def close(self) -> None:
        with self._lock:
            if self._readers:
                self._readers.close()
                self._readers = None
            if self._llm:
                self._llm.close()
                self._llm = None
