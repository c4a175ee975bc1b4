r"""Reads conditions as people write them: ``lang:ko AND year>=2024 AND path:guide/**``.

::

    condition  =  both { OR both }
    both       =  each { AND each }
    each       =  NOT each  |  "(" condition ")"  |  test
    test       =  field ":" ( value | "(" value { OR value } ")" | "*" )
               |  field ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value

Fields are ``path`` (its values are globs), ``document``, ``title``, ``language`` and whatever
metadata documents have; ``doc`` and ``lang`` are short for two of them. A name or value in double
quotes stands for itself, with ``\"`` for a quote and ``\\`` for a backslash in it.

``:`` asks for a text, exactly; of a field that lists several ("tea, pot"), for one of them;
``field:*`` for any at all. The other signs compare numbers and dates as such, ``=`` and ``!=``
texts as well: ``version:1.10`` has no 1.1, ``version=1.10`` has. A date compares to the precision
in which it is asked for: ``date=2024-05`` is any day of that month. Of a text, and of a document
without the field, ``<`` and the like are false; ``a!=b`` is ``NOT a=b``. Values in quotes are texts
and compare as such, by code points.

Knows neither documents nor SQL.
"""

from __future__ import annotations

from rag.conditions import (
    ALIASES,
    SPECIAL,
    WORDS,
    All,
    Among,
    Any,
    Compare,
    Condition,
    Exists,
    Not,
    Sign,
    joined,
    typed,
)
from rag.errors import BadQuery

MOST_CHARACTERS = 10_000
MOST_TESTS = 50
DEEPEST = 20
"""What one expression may cost: 50 tests of numbers take seconds on 50,000 documents, once."""
_SIGNS = ("!=", "<=", ">=", ":", "=", "<", ">")
_ORDER: dict[str, Sign] = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}
_PLACES = ("path", "document")
"""Fields that have one value, which is asked for and not compared with."""
_JOIN = "Join tests by AND or OR, in capitals; put a text with blanks in double quotes"
_QUOTE = "Put a value with signs in it in double quotes; several, in parentheses, come after ':'"
_STAR = "Put it in double quotes if the star is part of it; field:* asks for any value"
_ORDERED = "Write a number such as 0.5 or a date such as 2024-05-31; quote a text to compare texts"
_EXAMPLE = "Write it as in lang:ko AND year>=2024 AND path:guide/**"


def parse(text: str) -> Condition:
    """The condition that ``text`` writes.

    Raises
    ------
    BadQuery
        It writes none, or one that is too large; says where, and what to do.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadQuery(
            f"the filter has {len(text):,} characters, the limit is {MOST_CHARACTERS:,}",
            remedy="Shorten it",
        )
    return _Parser(text).whole()


class _Parser:
    """Reads ``text`` from ``at`` on; each method leaves it at what follows, blanks passed over."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.count = 0
        self.blanks()

    def whole(self) -> Condition:
        found = self.either()
        if self.ahead == ")":
            raise self.wrong("no '(' belongs to this ')'", "Remove it, or quote what it is part of")
        if self.ahead:
            raise self.wrong(f"'{self.peek()}' joins nothing", _JOIN)
        return found

    def either(self) -> Condition:
        parts = [self.both()]
        while self.took("OR"):
            parts.append(self.both())
        return joined(Any, parts)

    def both(self) -> Condition:
        parts = [self.each()]
        while self.took("AND"):
            parts.append(self.each())
        return joined(All, parts)

    def each(self) -> Condition:
        start = self.at
        negated = self.took("NOT")
        if not negated and self.ahead != "(":
            return self.test()
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong(f"it is nested more than {DEEPEST} deep", "Write it flatter", start)
        found = Not(self.each()) if negated else self.group()
        self.depth -= 1
        return found

    def group(self) -> Condition:
        start = self.at
        self.step()
        found = self.either()
        self.closed(start)
        return found

    def test(self) -> Condition:
        start = self.at
        field = self.field()
        sign = next((s for s in _SIGNS if self.text.startswith(s, self.at)), None)
        if sign is None:
            why = f"after the field '{field}' comes none of {' '.join(_SIGNS)}"
            raise self.wrong(why, _EXAMPLE if self.ahead in ("", "!") else _JOIN)
        self.step(len(sign))
        found = self.asked(field) if sign == ":" else self.compared(field, sign, start)
        self.count += len(found.values) if isinstance(found, Among) else 1
        if self.count > MOST_TESTS:
            raise self.wrong(f"it has more than {MOST_TESTS} tests", "Shorten it", start)
        return found

    def field(self) -> str:
        start = self.at
        if self.ahead == '"':
            return self.quoted()
        while self.ahead and not (self.ahead in SPECIAL or self.ahead.isspace()):
            self.at += 1
        name = self.text[start : self.at]
        if not name or name in WORDS:
            raise self.wrong(f"a field is missing{self.before(start)}", _EXAMPLE, start)
        if name.startswith("-"):
            remedy = f"Write NOT {name[1:]}..., or put the field's name in double quotes"
            raise self.wrong("a field does not begin with '-'", remedy, start)
        self.blanks()
        return ALIASES.get(name, name)

    def asked(self, field: str) -> Among | Exists:
        """What may follow ``field:``."""
        start = self.at
        if self.ahead != "(":
            value, literal = self.value(field, star=True)
            if value == "*" and not literal and field != "path":
                return Exists(field)
            return Among(field, (value,))
        self.step()
        values = [self.value(field)[0]]
        while self.took("OR"):
            values.append(self.value(field)[0])
        self.closed(start, "Join values by OR, in capitals; put one with blanks in double quotes")
        return Among(field, tuple(values))

    def compared(self, field: str, sign: str, start: int) -> Condition:
        """What may follow another sign than ``:``."""
        at = self.at
        value, literal = self.value(field)
        order = _ORDER.get(sign)
        found: Condition
        if field in _PLACES and order:
            raise self.wrong(f"'{field}' has no order", f"Write {field}:{value}", start)
        if field in _PLACES:
            found = Among(field, (value,))
        else:
            found = Compare(field, order or "=", value, literal or not typed(value))
            if order and not (literal or typed(value)):
                raise self.wrong(f"'{value}' is neither a number nor a date", _ORDERED, at)
        return Not(found) if sign == "!=" else found

    def value(self, field: str, *, star: bool = False) -> tuple[str, bool]:
        """A value, and whether it stands in quotes; ``star``: may be ``*`` alone."""
        if self.ahead == '"':
            return self.quoted(), True
        start = self.at
        if self.ahead in SPECIAL - {"*"}:
            raise self.wrong(f"a value is missing before '{self.ahead}'", _QUOTE)
        while self.ahead and not (self.ahead in '()"' or self.ahead.isspace()):
            self.at += 1
        found = self.text[start : self.at]
        if not found or found in WORDS:
            raise self.wrong(f"a value is missing{self.before(start)}", _EXAMPLE, start)
        if "*" in found and field != "path" and not (star and found == "*"):
            raise self.wrong(f"'{found}' is a pattern, which only path: takes", _STAR, start)
        self.blanks()
        return found, False

    def quoted(self) -> str:
        start = self.at
        found = []
        self.at += 1
        while self.ahead and self.ahead != '"':
            if self.ahead == "\\":
                self.at += 1
                if self.ahead not in ('"', "\\"):
                    remedy = 'In quotes, write \\" for a quote and \\\\ for a backslash'
                    raise self.wrong("a backslash stands before neither", remedy, self.at - 1)
            found.append(self.ahead)
            self.at += 1
        if not self.ahead:
            raise self.wrong("this quote is not closed", "Add a double quote", start)
        self.step()
        return "".join(found)

    def closed(self, start: int, remedy: str = _JOIN) -> None:
        if not self.ahead:
            raise self.wrong("this '(' is not closed", "Add a ')'", start)
        if self.ahead != ")":
            raise self.wrong(f"'{self.peek()}' joins nothing", remedy)
        self.step()

    def took(self, word: str) -> bool:
        """Whether ``word`` stands here; if so, passes over it."""
        end = self.at + len(word)
        after = self.text[end : end + 1]
        if not self.text.startswith(word, self.at) or not (after in '("' or after.isspace()):
            return False
        self.step(len(word))
        return True

    @property
    def ahead(self) -> str:
        return self.text[self.at : self.at + 1]

    def step(self, count: int = 1) -> None:
        self.at += count
        self.blanks()

    def blanks(self) -> None:
        while self.ahead.isspace():
            self.at += 1

    def peek(self, at: int | None = None) -> str:
        """The word that stands here, for a message."""
        return self.text[self.at if at is None else at :].split(maxsplit=1)[0][:40]

    def before(self, at: int) -> str:
        return f" before '{self.peek(at)}'" if at < len(self.text) else " at the end"

    def wrong(self, why: str, remedy: str, at: int | None = None) -> BadQuery:
        place = (self.at if at is None else at) + 1
        return BadQuery(f"the filter is wrong at character {place}: {why}", remedy=remedy)
