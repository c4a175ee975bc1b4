"""Arrays at raw addresses, for compiled functions. Imported when the first of these is called."""

from __future__ import annotations

from typing import Any

import numba
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rag.jit import njit


@intrinsic
def _pointer(typing: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), code


@njit(nogil=True, cache=True)
def view(address: Any, count: Any, kind: Any) -> Any:
    """The array of ``count`` numbers at ``address``."""
    return numba.carray(_pointer(address), (count,), kind)  # type: ignore[call-arg, attr-defined]
