from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.index.keys import Keys, as_bytes, from_hex, packed

# Few values at both ends, so that whole digests, and their first halves, are often equal.
DIGESTS = st.builds(
    lambda a, b: bytes([a]) * 8 + bytes([b]) * 8, st.integers(0, 3), st.integers(0, 3)
)


@given(st.lists(DIGESTS, max_size=30), st.lists(DIGESTS, max_size=10))
def test_each_is_found_where_it_stands(held: list[bytes], wanted: list[bytes]) -> None:
    found = Keys(packed(held)).find(packed(wanted)).tolist()
    for digest, at in zip(wanted, found, strict=True):
        assert held[at] == digest if digest in held else at == -1


def test_one_look_up_after_another() -> None:
    held = [bytes([i]) * 16 for i in (7, 3, 255, 0)]
    keys = Keys(packed(held))
    assert keys.find(packed([held[2], held[0], bytes([1]) * 16])).tolist() == [2, 0, -1]
    assert keys.find(packed([held[3]])).tolist() == [3]
    assert keys.find(packed([])).tolist() == []


def test_what_is_no_digest_is_left_out() -> None:
    good = "00112233445566778899aabbccddeeff"
    given = ["", good, good[:-2], good + "00", good.upper(), "zz" * 16, f" {good}", "한" * 16]
    digests, places = from_hex(given)
    assert places.tolist() == [1]
    assert digests.tobytes().hex() == good
    assert as_bytes(good) == bytes.fromhex(good)
    assert (digests.shape, digests.dtype) == ((1, 16), np.uint8)
