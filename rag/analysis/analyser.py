"""Cuts text into runs by script and joins what each family makes of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from rag.analysis import chinese, cjk, japanese, korean, latin
from rag.analysis.language import detect
from rag.analysis.question import asked_in
from rag.analysis.runs import Manner, Piece, runs
from rag.errors import ConfigError
from rag.settings import Settings
from rag.types import Term, digest

if TYPE_CHECKING:
    from rag.analysis.batch import Batch

_FORMAT = "words+bigrams+morphemes/3"
"""Changes whenever terms would change."""
MORPHEME = "~"
"""What a term begins with that is a morpheme, so that "~사과" is no bigram; in no text's terms."""
_LONGEST = 32
"""Longer runs are not remembered: there are too many different ones, of Chinese above all."""

_HANGUL = re.compile(f"[{korean.HANGUL}]+")
_HANGUL_TERM = re.compile(f"[{korean.HANGUL}]")
_EAST_TERM = re.compile(f"[{cjk.CHARACTERS}]")

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Analyser:
    """How text becomes terms; passages and questions must have the same one.

    A value: cheap to make, to compare and to send to another process; what it needs is loaded by
    the first text that needs it.

    Attributes
    ----------
    korean
        What cuts Korean words: ``mecab``, ``kiwi`` (an extra), or nothing, ``bigrams``.
    japanese, chinese
        ``bigrams``, or ``sudachi`` and ``jieba`` (extras).
    words
        Korean words that the dictionary lacks, in Hangul; found wherever they stand.
    """

    korean: korean.Backend = "mecab"
    japanese: japanese.Backend = "bigrams"
    chinese: chinese.Backend = "bigrams"
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        composed = {unicodedata.normalize("NFC", word) for word in self.words}
        for word in sorted(composed):
            if not _HANGUL.fullmatch(word):
                raise ConfigError(
                    f"words: '{word}' is no Korean word",
                    remedy="List words of Hangul alone, without blanks: others are found as they "
                    "are written",
                )
        object.__setattr__(self, "words", tuple(sorted(composed)))

    @property
    def fingerprint(self) -> str:
        """Changes whenever terms would: a collection stores it and refuses another."""
        return _fingerprint(self)

    def terms(self, text: str, language: str | None = None) -> list[str]:
        """The terms of ``text``, which is in ``language``; by default, in the one it seems to be.

        Words come in order, the morphemes of a run before its bigrams.
        """
        manner = self.manner(language or detect(text))
        return [piece.term for run in runs(text) for piece in self._pieces(run, manner)]

    def analyse(self, text: str, language: str | None = None) -> list[Term]:
        """``terms``, each with the characters that it stands for."""
        manner = self.manner(language or detect(text))
        return [
            Term(piece.term, run.start() + piece.start, run.start() + piece.end)
            for run in runs(text)
            for piece in self._pieces(run, manner)
        ]

    def positions(self, text: str, language: str | None = None) -> list[tuple[str, int]]:
        """``terms``, each with its place among the words, stop words included.

        Parts of a name stand where it does; bigrams stand one after another, a morpheme where the
        bigram does that begins with it.
        """
        manner = self.manner(language or detect(text))
        out: list[tuple[str, int]] = []
        at = 0
        for run in runs(text):
            pieces = self._pieces(run, manner)
            out += [(piece.term, at + piece.at) for piece in pieces]
            at += 1 if run.lastgroup == "latin" else pieces[-1].at + 1
        return out

    def asked(
        self, text: str, languages: Collection[str] = ()
    ) -> tuple[list[str], list[tuple[str, ...]]]:
        """A question's terms, as passages in English or any of ``languages`` may have them.

        Those that all have in common, in order; and of each other word its stems, the English one
        first, of which a passage has one. Stop words of the question's own language go, though
        passages in others keep them.
        """
        own = asked_in(text, languages)
        stems = tuple(dict.fromkeys(("en", *map(latin.stemmed, languages))))
        common: list[str] = []
        choices: list[tuple[str, ...]] = []
        for run in runs(text):
            if run.lastgroup == "cjk":
                known: set[str] = set()
                for east in ("ko", "ja", "zh"):
                    pieces = self._pieces(run, self.manner(east))
                    common += (new := [p.term for p in pieces if p.term not in known])
                    known.update(new)
                continue
            read = _known_readings if run.end() - run.start() <= _LONGEST else _readings
            for several in read(self, run[0], stems, own):
                if len(several) == 1:
                    common += several
                else:
                    choices.append(several)
        return common, choices

    def matcher(self, terms: Collection[str]) -> Callable[[str], Spans]:
        """Finds the spans of a text that ``terms`` match, joined where they touch or overlap."""
        wanted = frozenset(terms)
        known: dict[tuple[str, Manner], list[tuple[int, int]]] = {}

        def spans(text: str) -> Spans:
            found: list[tuple[int, int]] = []
            manner = self.manner(detect(text))
            for run in runs(text):
                if (within := known.get((run[0], manner))) is None:
                    pieces = self._pieces(run, manner)
                    within = sorted(piece[1:3] for piece in pieces if piece.term in wanted)
                    known[run[0], manner] = within
                for start, end in within:
                    begin, stop = run.start() + start, run.start() + end
                    if found and begin <= found[-1][1]:
                        found[-1] = (found[-1][0], max(found[-1][1], stop))
                    else:
                        found.append((begin, stop))
            return tuple(found)

        return spans

    def batch(self, texts: Sequence[str], languages: Sequence[str] | None = None) -> Batch:
        """``positions`` of many texts at once, several times faster."""
        from rag.analysis.batch import analyse_batch  # it loads numba

        return analyse_batch(texts, languages, self)

    def weight(self, term: str, morphemes: float) -> float:
        """What ``term`` weighs where morphemes weigh ``morphemes`` and bigrams the rest of 1."""
        if is_morpheme(term):
            return morphemes
        east = self.japanese != "bigrams" or self.chinese != "bigrams"
        if (self.korean != "bigrams" and _HANGUL_TERM.match(term)) or (
            east and _EAST_TERM.match(term)
        ):
            return 1 - morphemes
        return 1.0

    def manner(self, language: str) -> Manner:
        """How a text in ``language`` is analysed."""
        backends = {"ko": self.korean, "ja": self.japanese, "zh": self.chinese}
        east = language if backends.get(language, "bigrams") != "bigrams" else ""
        return Manner(latin.stemmed(language), east)

    def latin(self, run: str, manner: Manner) -> list[Piece]:
        """The terms of a word, name or number, all in one place."""
        return [Piece(*found, 0) for found in latin.terms(run, manner.stems)]

    def stretch(self, text: str, hangul: bool, manner: Manner) -> list[Piece]:
        """The words of a stretch, as ``cjk`` has them, in the places of its bigrams."""
        last = max(0, len(text) - 2)
        if cjk.composed(text):
            found = self._words(text, hangul, manner)
            return [Piece(MORPHEME + word, at, to, min(at, last)) for word, at, to in found]
        units = cjk.units(text)
        parts = [unicodedata.normalize("NFKC", text[start:end]) for start, end in units]
        of = [i for i, part in enumerate(parts) for _ in part]
        last = max(0, len(units) - 2)
        return [
            Piece(MORPHEME + word, units[of[at]][0], units[of[to - 1]][1], min(of[at], last))
            for word, at, to in self._words("".join(parts), hangul, manner)
        ]

    def _words(self, text: str, hangul: bool, manner: Manner) -> Sequence[tuple[str, int, int]]:
        if hangul:
            return korean.morphemes(text, self.korean, self.words)
        if manner.east == "ko" and (read := korean.reading(text, self.korean)) != text:
            return korean.morphemes(read, self.korean, self.words)
        if manner.east in ("ja", "zh"):
            return list((japanese if manner.east == "ja" else chinese).words(text))
        return ()

    def _pieces(self, run: re.Match[str], manner: Manner) -> Sequence[Piece]:
        cut = _remembered if run.end() - run.start() <= _LONGEST else _cut
        return cut(self, run[0], run.lastgroup == "latin", manner)

    def east(self, run: str, manner: Manner) -> list[Piece]:
        """The terms of a run of Hangul, Han and kana: at each place morphemes, then a bigram."""
        units = cjk.units(run)
        bigrams = cjk.bigrams(units)
        last = len(bigrams) - 1
        words: dict[int, list[Piece]] = {}
        for first, stop, hangul in cjk.stretches(run, units):
            base, at = units[first][0], min(first, last)
            for piece in self.stretch(run[base : units[stop - 1][1]], hangul, manner):
                moved = Piece(piece.term, base + piece.start, base + piece.end, at + piece.at)
                words.setdefault(at, []).append(moved)
        out: list[Piece] = []
        for i, (start, end) in enumerate(bigrams):
            out += words.get(i, ())
            out.append(Piece(cjk.term(run[start:end]), start, end, i))
        return out


def terms(text: str, language: str | None = None) -> list[str]:
    """The words and bigrams of ``text`` in order, without morphemes; see ``Analyser.terms``."""
    return _PLAIN.terms(text, language)


def is_morpheme(term: str) -> bool:
    """Whether ``term`` is a morpheme, not a word or a bigram."""
    return term.startswith(MORPHEME)


def language_term(language: str) -> str:
    """The term of passages whose words have the stems of ``language``; no text's, and near none."""
    return f"{4 * MORPHEME}{language}"


def shown(term: str) -> str:
    """``term`` as people are to read it."""
    return term.lstrip(MORPHEME)


def load_analyser(settings: Settings) -> Analyser:
    """The analyser that ``settings`` ask for; nothing is loaded yet.

    Raises
    ------
    ConfigError
        One of ``settings.words`` is no Korean word.
    """
    s = settings
    return Analyser(s.korean, s.japanese, s.chinese, s.words)


def _cut(analyser: Analyser, run: str, alphabetic: bool, manner: Manner) -> tuple[Piece, ...]:
    return tuple(analyser.latin(run, manner) if alphabetic else analyser.east(run, manner))


def _readings(
    analyser: Analyser, run: str, languages: tuple[str, ...], own: str
) -> tuple[tuple[str, ...], ...]:
    """Each part of a word, name or number as ``languages`` stem it, the first one's first.

    Without those that are stop words in ``own``.
    """
    kept = {piece[1:3] for piece in analyser.latin(run, Manner(own, ""))}
    found: dict[tuple[int, int], dict[str, None]] = {}
    for language in languages:
        for piece in analyser.latin(run, Manner(language, "")):
            if piece[1:3] in kept:
                found.setdefault((piece.start, piece.end), {})[piece.term] = None
    return tuple(map(tuple, found.values()))


_remembered = lru_cache(maxsize=1 << 16)(_cut)
_known_readings = lru_cache(maxsize=1 << 16)(_readings)
_PLAIN = Analyser(korean="bigrams")


@cache
def _fingerprint(analyser: Analyser) -> str:
    a = analyser
    stems = f"snowball {version('PyStemmer')}"
    parts = [_FORMAT, stems, korean.installed(a.korean), japanese.installed(a.japanese),
             chinese.installed(a.chinese)]  # fmt: skip
    if a.words:
        parts.append(f"{len(a.words)} words {digest(*a.words)[:12]}")
    return ", ".join(parts)
