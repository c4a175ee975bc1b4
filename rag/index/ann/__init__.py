"""Dense search, one class a kind: exact, or trading a little of that for time.

Knows vectors and row numbers, not what they stand for.
"""

from rag.index.ann.approximate import Approximate
from rag.index.ann.kinds import KINDS, Index, Kind, build, choose, load

__all__ = ["KINDS", "Approximate", "Index", "Kind", "build", "choose", "load"]
