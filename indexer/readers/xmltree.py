"""XML to a tree of elements, through defusedxml: no entity is expanded, nothing is fetched.

Knows no vocabulary. Nothing here recurses over the depth of the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from rag.errors import SourceError

DEPTH = 256
"""How deep the parts of an office file may nest, so that their readers may recurse."""

_PIECE = 1 << 20
_RELATIONSHIPS = "/relationships}"


def parse_xml(data: bytes | str, path: str) -> Element:
    """The root element; names are ``{namespace}name``. A ``str`` is taken as decoded already.

    Raises
    ------
    SourceError
        It is not well-formed (with the line), or it defines entities.
    """
    return _parse(data, TreeBuilder(), path, "")


def parse_part(data: bytes, path: str, part: str) -> Element:
    """The root element of a part of an office file, with bare names.

    Namespaces are left away, so that the transitional and the strict vocabulary are one; an
    attribute that names a relationship keeps ``r:`` (``r:id``).

    Raises
    ------
    SourceError
        As `parse_xml`, or its elements nest deeper than `DEPTH`.
    """
    return _parse(data, _Bare(path, part), path, part)


def stream_part(
    pieces: Iterable[bytes],
    path: str,
    part: str,
    taken: frozenset[str],
    marked: frozenset[str] = frozenset(),
) -> Iterator[Element]:
    """The outermost elements of a part that have a name of ``taken``, each kept no longer.

    For parts that may be large. An element around them with a name of ``marked`` is given, too,
    when it begins: with its attributes and nothing in it. Names and errors are as `parse_part`'s.
    """
    target = _Bare(path, part, taken, marked)
    try:
        for _ in _fed(target, pieces, path, part):
            yield from target.done
            target.done.clear()
    except SourceError:
        yield from target.done
        raise


def _parse(data: bytes | str, target: TreeBuilder | _Bare, path: str, part: str) -> Element:
    pieces = (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))
    for _ in _fed(target, pieces, path, part):
        pass
    return target.close()


def _fed(
    target: TreeBuilder | _Bare, pieces: Iterable[bytes | str], path: str, part: str
) -> Iterator[None]:
    """Feeds the target; comes up for air after each piece, and when all is parsed."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import XMLParser

    inside = f"its part {part} " if part else ""
    remedy = "Save it anew, or leave it out"
    parser = XMLParser(target=target)
    try:
        for piece in pieces:
            parser.feed(piece)
            yield
        parser.close()
    except ParseError as e:
        line = None if part else e.position[0]
        raise SourceError(
            path, f"{inside}is not well-formed XML ({e})", line, remedy=remedy
        ) from None
    except DefusedXmlException:
        raise SourceError(
            path, f"{inside}defines XML entities, which are never expanded", remedy=remedy
        ) from None
    except (ValueError, LookupError) as e:
        raise SourceError(
            path, f"{inside}is in an unsupported encoding ({e})", remedy="Save it as UTF-8"
        ) from None
    yield


class _Bare:
    """Builds a tree with bare names, and bounds its depth; see `stream_part` for what is done."""

    def __init__(
        self,
        path: str,
        part: str,
        taken: frozenset[str] = frozenset(),
        marked: frozenset[str] = frozenset(),
    ) -> None:
        builder = TreeBuilder()
        self._start = builder.start
        self._end = builder.end
        self.data = builder.data
        self.close = builder.close
        self.done: list[Element] = []
        self._names: dict[str, str] = {}
        self._depth = 0
        self._taken = taken
        self._marked = marked
        self._inside = 0  # depth of the element that is being taken
        self._around: list[Element] = []
        self._where = path, part

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEPTH:
            path, part = self._where
            raise SourceError(
                path,
                f"its part {part} nests more than {DEPTH} elements",
                remedy="Save it anew, or leave it out",
            )
        names = self._names
        for name in (tag, *attributes):
            if name not in names:
                names[name] = _bare(name)
        bare = names[tag]
        element = self._start(bare, {names[k]: v for k, v in attributes.items()})
        if not self._inside:
            if bare in self._taken:
                self._inside = self._depth
            else:
                self._around.append(element)
                if bare in self._marked:
                    self.done.append(element)

    def end(self, tag: str) -> None:
        element = self._end(self._names[tag])
        if not self._inside:
            self._around.pop()
        elif self._inside == self._depth:
            self._inside = 0
            self.done.append(element)
            if self._around:
                del self._around[-1][:]
        self._depth -= 1


def _bare(name: str) -> str:
    space, closed, local = name.rpartition("}")
    return f"r:{local}" if (space + closed).endswith(_RELATIONSHIPS) else local
