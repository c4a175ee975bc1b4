"""Tables of RTF, as their rows are declared and filled. Knows no text."""

from __future__ import annotations

from dataclasses import replace

from indexer.readers.grid import Cell

_BACK = 200  # cells: how far a merged one may have begun


class Table:
    """``cells`` of the rows that ended; ``texts`` of the row that is being filled.

    Cells are placed by their edges, in twips, since rows of one table may differ.
    """

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.texts: list[str] = []
        self.header = 0
        self._rows = 0
        self._edges: list[tuple[int, str]] = []
        self._merge = ""
        self._heads = False

    def word(self, word: bytes, count: int) -> None:
        """A word that declares or ends a row; others say nothing here."""
        if word == b"trowd":
            self._edges, self._heads = [], False
        elif word in (b"clvmrg", b"clmrg"):
            self._merge = word.decode()
        elif word == b"cellx":
            self._edges.append((count, self._merge))
            self._merge = ""
        elif word == b"trhdr":
            self._heads = True
        elif word == b"row":
            self._end_row()

    def _end_row(self) -> None:
        left = 0
        for number, text in enumerate(self.texts):
            right, merge = self._edges[number] if number < len(self._edges) else (left + 1, "")
            above = self._above(left) if merge == "clvmrg" else None
            if above is not None:
                first = self.cells[above]
                self.cells[above] = replace(first, rows=self._rows - first.row + 1)
            elif merge != "clmrg":
                self.cells.append(Cell(self._rows, left, 1, max(right - left, 1), text))
            left = max(right, left + 1)
        self.header += self._heads and self.header == self._rows
        self._rows += 1
        self.texts = []

    def _above(self, left: int) -> int | None:
        """The cell of the rows before that begins at the same edge."""
        for at in range(len(self.cells) - 1, max(len(self.cells) - _BACK, -1), -1):
            cell = self.cells[at]
            if cell.column == left and cell.row < self._rows:
                return at
        return None
