"""HWP 5 documents "for distribution" (배포용): their text is scrambled with a key that they hold.

Such a document may be read by everyone but not edited, so reading it breaks no protection. AES is
FIPS 197, over all blocks at once; the key's hiding place is in Hancom's "배포용 문서" paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import SourceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TAG = 28
_SIZE = 256


def decrypted(stream: bytes, path: str) -> bytes:
    """A section's stream, still compressed.

    Raises
    ------
    SourceError
        The stream does not begin with the record that hides the key.
    """
    head = int.from_bytes(stream[:4], "little")
    if head & 0x3FF != _TAG or head >> 20 != _SIZE or len(stream) < 4 + _SIZE:
        raise SourceError(
            path, "is for distribution, but holds no key", remedy="Save it anew in Hangul"
        )
    return decrypt(stream[4 + _SIZE :], _key(stream[4 : 4 + _SIZE]))


def _key(hidden: bytes) -> bytes:
    """The 16 bytes that are hidden by the numbers of Microsoft's ``rand``."""
    seed = state = int.from_bytes(hidden[:4], "little")
    mask = bytearray()
    while len(mask) < _SIZE:
        drawn = []
        for _ in range(2):
            state = (state * 214013 + 2531011) & 0xFFFFFFFF
            drawn.append(state >> 16 & 0x7FFF)
        mask += bytes([drawn[0] & 0xFF]) * ((drawn[1] & 0xF) + 1)
    start = 4 + (seed & 0xF)
    return bytes(a ^ b for a, b in zip(hidden[start : start + 16], mask[start:], strict=False))


def decrypt(data: bytes, key: bytes) -> bytes:
    """AES-128 in ECB mode; a last block that is not whole is left out."""
    import numpy as np

    boxes = _sboxes()
    inverse = np.frombuffer(boxes[1], np.uint8)
    times = {
        n: np.array([_multiply(value, n) for value in range(256)], np.uint8)
        for n in (9, 11, 13, 14)
    }
    rounds = np.frombuffer(_expanded(key, boxes[0]), np.uint8).reshape(11, 16)
    # Byte i of a block is row i % 4, column i // 4; row r was turned left by r columns.
    turned = np.array([(i - 4 * (i % 4)) % 16 for i in range(16)])
    blocks: NDArray[np.uint8] = np.frombuffer(data[: len(data) // 16 * 16], np.uint8)
    state = blocks.reshape(-1, 16) ^ rounds[10]
    for number in range(9, -1, -1):
        state = inverse[state[:, turned]] ^ rounds[number]
        if number:
            columns = state.reshape(-1, 4, 4)
            mixed = np.zeros_like(columns)
            for shift, factor in enumerate((14, 11, 13, 9)):
                mixed ^= times[factor][np.roll(columns, -shift, axis=2)]
            state = mixed.reshape(-1, 16)
    return bytes(state.tobytes())


def _multiply(a: int, b: int) -> int:
    """The product in AES's field of 256 elements."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def _sboxes() -> tuple[bytes, bytes]:
    """The substitution of AES, and its inverse."""
    forward, inverse = bytearray(256), bytearray(256)
    for value in range(256):
        reciprocal = value
        for _ in range(6):  # value to the power of 254, as 254 = 2 + 4 + ... + 128
            reciprocal = _multiply(_multiply(reciprocal, reciprocal), value)
        forward[value] = _affine(_multiply(reciprocal, reciprocal))
    for value, substitute in enumerate(forward):
        inverse[substitute] = value
    return bytes(forward), bytes(inverse)


def _affine(value: int) -> int:
    out = 0x63
    for shift in range(5):
        out ^= (value << shift | value >> (8 - shift)) & 0xFF
    return out


def _expanded(key: bytes, box: bytes) -> bytes:
    """The keys of the 11 rounds."""
    out = bytearray(key)
    factor = 1
    while len(out) < 176:
        word = out[-4:]
        if len(out) % 16 == 0:
            word = bytearray(box[byte] for byte in (*word[1:], word[0]))
            word[0] ^= factor
            factor = _multiply(factor, 2)
        out += bytes(a ^ b for a, b in zip(word, out[-16:-12], strict=True))
    return bytes(out)
