"""AES-128 encryption, byte by byte after FIPS 197, to check decryption against."""

from __future__ import annotations


def _twice(a: int) -> int:
    return (a << 1 ^ (0x1B if a & 0x80 else 0)) & 0xFF


def _box() -> list[int]:
    """The S-box by the powers and logarithms of 3."""
    powers, value = [], 1
    for _ in range(255):
        powers.append(value)
        value ^= _twice(value)
    out = [0x63] * 256
    for log, value in enumerate(powers):
        inverse = powers[-log % 255]
        out[value] = inverse ^ 0x63
        for shift in (1, 2, 3, 4):
            out[value] ^= (inverse << shift | inverse >> (8 - shift)) & 0xFF
    return out


_BOX = _box()


def encrypt(data: bytes, key: bytes) -> bytes:
    """ECB mode; ``data`` is whole blocks of 16 bytes."""
    keys, factor = list(key), 1
    for at in range(16, 176, 4):
        word = keys[at - 4 :]
        if at % 16 == 0:
            word = [_BOX[byte] for byte in (*word[1:], word[0])]
            word[0] ^= factor
            factor = _twice(factor)
        keys += [a ^ b for a, b in zip(word, keys[at - 16 : at - 12], strict=True)]
    out = b""
    for start in range(0, len(data), 16):
        state = [a ^ b for a, b in zip(data[start : start + 16], keys[:16], strict=True)]
        for turn in range(1, 11):
            state = [_BOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if turn < 10:
                state = [byte for i in range(0, 16, 4) for byte in _mixed(state[i : i + 4])]
            state = [a ^ b for a, b in zip(state, keys[16 * turn :][:16], strict=True)]
        out += bytes(state)
    return out


def _mixed(column: list[int]) -> list[int]:
    whole = column[0] ^ column[1] ^ column[2] ^ column[3]
    return [column[i] ^ whole ^ _twice(column[i] ^ column[(i + 1) % 4]) for i in range(4)]
