"""An encoder's own tokenizer by itself: how many tokens a text has for it, and where they are.

Importing this module, and finding a tokenizer, loads no library; the first text does. Knows
nothing of what is counted, or why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from rag import models
from rag.encode import e5
from rag.errors import ModelMissing, SourceError
from rag.settings import Settings
from rag.types import digest, encodable

_DEFAULT = "multilingual-e5-small"
_FILE = "tokenizer.json"
_PORTION = 20_000
"""Characters that are cut into tokens at once: each token takes some 100 bytes meanwhile."""
_MOST_WORDS = 300_000


class Tokenizer:
    """Counts tokens by a ``tokenizer.json``, for any number of threads; can be sent to a process.

    Parameters
    ----------
    fingerprint
        Changes whenever the counts would.
    find
        Gives the file when it is first needed.
    words
        Whether no token reaches over a blank and none depends on another word. Each word is then
        counted once: a third less time for a first folder, a tenth where most words are known.

    Raises
    ------
    SourceError
        When it counts: the file cannot be used.
    """

    def __init__(self, fingerprint: str, find: Callable[[], Path], *, words: bool = False) -> None:
        self.fingerprint = fingerprint
        self._find = find
        self._words = words
        self._known: dict[str, int] = {}
        self._library: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Tokenizer, words=self._words), (self.fingerprint, self._find)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, 1 at least, without those that mark its beginning and end."""
        if not self._words:
            return [max(n, 1) for n in self._counted([encodable(text) for text in texts])]
        split = [encodable(text).split() for text in texts]
        known = self._known
        new = list({word for words in split for word in words}.difference(known))
        if len(known) + len(new) > _MOST_WORDS:
            new = list({word for words in split for word in words})
            known = self._known = {}  # other threads keep theirs
        known.update(zip(new, self._counted(new), strict=True))
        return [max(sum(map(known.__getitem__, words)), 1) for words in split]

    def spans(self, text: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Start and end of each token of ``text[start:end]``, and 1.

        Tokens that share a character, or are but a blank, are told with the next one, as 2.
        """
        tokenizer = self._loaded()
        while start < end:
            stop = min(start + _PORTION, end)
            if stop < end:
                stop = max(text.rfind(" ", start, stop), text.rfind("\n", start, stop)) + 1 or stop
            portion = encodable(text[start:stop])
            offsets = tokenizer.encode(portion, add_special_tokens=False).offsets
            first, held = 0, 0
            for (begin, last), (following, _) in pairwise([*offsets, (len(portion), 0)]):
                first = first if held else begin
                held += 1
                piece = portion[first:last].lstrip()
                if piece and following >= last:
                    yield start + last - len(piece), start + last, held
                    held = 0
            start = stop

    def _counted(self, texts: list[str]) -> list[int]:
        if not texts:
            return []
        found = self._loaded().encode_batch_fast(texts, add_special_tokens=False)
        return [len(tokens) for tokens in found]

    def _loaded(self) -> Any:  # noqa: ANN401
        if self._library is None:
            self._library = _load(self._find())
        return self._library


def find_tokenizer(settings: Settings) -> Tokenizer | None:
    """The tokenizer of the encoder that ``settings.encoder`` names; ``None`` if not at hand.

    That of an endpoint, of a model known by its hub id alone, and of one that has not been fetched
    is not.
    """
    if not find_spec("tokenizers"):
        return None
    if settings.encoder == _DEFAULT:
        try:
            file = models.path(_DEFAULT, settings.cache)
        except ModelMissing:
            return None
        version = models.MODELS[_DEFAULT].member_sha256[:16]
        find = partial(_of_default, file, version)
        return Tokenizer(f"{_DEFAULT}:{e5.FORMAT}:{version}", find, words=True)
    file = Path(settings.encoder).expanduser() / _FILE
    if "://" in settings.encoder or not file.is_file():
        return None
    return Tokenizer(f"file:{digest(file.read_text('utf-8'))}", partial(Path, file))


def _of_default(file: Path, version: str) -> Path:
    """That of any folder which was made of the model's file; of a new one, if there is none."""
    made = file.parent.glob(f"*-{e5.FORMAT}[.-]*{version}/{_FILE}")
    return next(made, None) or e5.onnx_folder(file, version, "int8") / _FILE


@cache
def _load(file: Path) -> Any:  # noqa: ANN401
    from tokenizers import Tokenizer as Library

    try:
        tokenizer = Library.from_file(str(file))
    except Exception as e:  # the library raises nothing more special
        raise SourceError(
            str(file), f"is no tokenizer: {e}", remedy="Delete its folder; it is made again"
        ) from e
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
