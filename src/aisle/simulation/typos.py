"""Misspelling of whole columns: one slip of the finger per text, at a drawn place, without a loop over rows.

Damerau (1964) found that four in five misspelt words have one letter too few, too many, wrong, or two exchanged. These
are the kinds here, and a space left out between two words.

Source: F. J. Damerau, "A technique for computer detection and correction of spelling errors", CACM 7(3), 1964.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int8, Int64, UInt32

__all__ = ["misspell_texts"]

_SWAP, _DROP, _DOUBLE, _NEIGHBOUR, _SPACE = range(5)
_UP_TO = np.array([0.25, 0.55, 0.75, 0.95, 1.0])
"""Cumulative shares of the kinds, in the order above."""
_SPACE_CODE = ord(" ")

_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def misspell_texts(
    texts: pa.Array,
    *,
    where: Bool[np.ndarray, " rows"],
    place: Float64[np.ndarray, " rows"],
    kind: Float64[np.ndarray, " rows"],
) -> pa.Array:
    """Make one typing error in each of the chosen texts.

    A letter is exchanged with the next one, dropped, doubled, or replaced by its neighbour on the keyboard, or the
    space between two words is dropped. The first letter of a word is never touched, as typists rarely miss it, nor are
    digits.

    Args:
        texts: String column; nulls stay.
        where: The texts that are to get an error. One without a letter behind another letter stays as it is.
        place: Uniform draws in [0, 1): where in the text.
        kind: Uniform draws in [0, 1): which error.

    >>> draws, everywhere = np.array([0.1, 0.5, 0.7, 0.9, 0.97]), np.ones(5, bool)
    >>> misspell_texts(pa.array(["red sofa"] * 5), where=everywhere, place=np.full(5, 0.7), kind=draws).to_pylist()
    ['red soaf', 'red soa', 'red soffa', 'red soda', 'redsofa']
    """
    # Without two characters there is nothing to do, and nothing to look up places in.
    can = pc.fill_null(pc.greater(pc.utf8_length(texts), 1), False)
    chosen = np.flatnonzero(where & can.to_numpy(zero_copy_only=False))
    if not len(chosen):
        return texts
    typed = _misspell_all(texts.take(pa.array(chosen)), place[chosen], kind[chosen])
    source = np.arange(len(texts))
    source[chosen] = len(texts) + np.arange(len(chosen))
    return pa.concat_arrays([texts, typed]).take(pa.array(source))


def _misspell_all(texts: pa.Array, place: Float64[np.ndarray, " rows"], kind: Float64[np.ndarray, " rows"]) -> pa.Array:
    codes, begin = _code_points(texts)
    letter = np.char.isalpha(codes.view("<U1"))
    row = np.repeat(np.arange(len(texts)), np.diff(begin))
    before, after = _same_row(letter, row, shift=1), _same_row(letter, row, shift=-1)
    error = np.searchsorted(_UP_TO, kind, side="right").astype(np.int8)
    between = (codes == _SPACE_CODE) & before & after
    can = np.where((error == _SPACE)[row], between, letter & before)
    at = _nth_place(can, row, place)
    return _apply(codes, begin, _fitting(codes, after, at=at, error=error), at=at)


def _same_row(letter: Bool[np.ndarray, " codes"], row: Int64[np.ndarray, " codes"], *, shift: int) -> np.ndarray:
    """Say for each code point whether the one before it (shift 1) or after it (-1) is a letter of the same text."""
    rolled: Bool[np.ndarray, " codes"] = np.roll(letter, shift) & (np.roll(row, shift) == row)
    if len(rolled):
        rolled[0 if shift > 0 else -1] = False
    return rolled


def _nth_place(
    can: Bool[np.ndarray, " codes"], row: Int64[np.ndarray, " codes"], chance: Float64[np.ndarray, " rows"]
) -> Int64[np.ndarray, " rows"]:
    """Choose one of each row's possible places; -1 where it has none."""
    places = np.flatnonzero(can)
    count = np.bincount(row[places], minlength=len(chance))
    nth = np.cumsum(count) - count + np.floor(chance * count).astype(np.int64)
    at = np.full(len(chance), -1, dtype=np.int64)
    at[count > 0] = places[nth[count > 0]]
    return at


def _fitting(
    codes: UInt32[np.ndarray, " codes"],
    after: Bool[np.ndarray, " codes"],
    *,
    at: Int64[np.ndarray, " rows"],
    error: Int8[np.ndarray, " rows"],
) -> Int8[np.ndarray, " rows"]:
    """Turn what would change nothing into another error: swaps of equal letters, keys without neighbour."""
    safe = np.maximum(at, 0)
    following = codes[np.minimum(safe + 1, len(codes) - 1)]
    cannot_swap = (error == _SWAP) & (~after[safe] | (codes[safe] == following))
    has_neighbour = _NEIGHBOUR_OF[np.minimum(codes[safe], len(_NEIGHBOUR_OF) - 1)] != 0
    fitting = np.where(cannot_swap, _DOUBLE, error)
    return np.where((error == _NEIGHBOUR) & ~has_neighbour, _DROP, fitting).astype(np.int8)


def _apply(
    codes: UInt32[np.ndarray, " codes"],
    begin: Int64[np.ndarray, " rows_plus_1"],
    error: Int8[np.ndarray, " rows"],
    *,
    at: Int64[np.ndarray, " rows"],
) -> pa.Array:
    done = at >= 0
    swapped, replaced = at[done & (error == _SWAP)], at[done & (error == _NEIGHBOUR)]
    typed = codes.copy()
    typed[swapped], typed[swapped + 1] = codes[swapped + 1], codes[swapped]
    typed[replaced] = _NEIGHBOUR_OF[codes[replaced]]
    times = np.ones(len(codes), dtype=np.int64)
    times[at[done & ((error == _DROP) | (error == _SPACE))]] = 0
    times[at[done & (error == _DOUBLE)]] = 2
    reached = np.concatenate([[0], np.cumsum(times)])
    return _from_code_points(np.repeat(typed, times), reached[begin])


def _neighbour_table() -> UInt32[np.ndarray, " codes"]:
    """Return for each ASCII letter the key to its left (to its right at the edge), in its case; 0 for other codes."""
    table = np.zeros(129, dtype=np.uint32)
    for keys in _KEYBOARD:
        for key, neighbour in zip(keys, keys[1] + keys[:-1], strict=True):
            table[ord(key)], table[ord(key.upper())] = ord(neighbour), ord(neighbour.upper())
    return table


_NEIGHBOUR_OF = _neighbour_table()


def _code_points(texts: pa.Array) -> tuple[UInt32[np.ndarray, " codes"], Int64[np.ndarray, " rows_plus_1"]]:
    """Return the code points of all texts (none null) on end, and where each text begins."""
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), "")[0].as_py()
    codes = np.frombuffer(joined.encode("utf-32-le"), dtype="<u4")
    lengths = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
    return codes, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _from_code_points(codes: UInt32[np.ndarray, " codes"], begin: Int64[np.ndarray, " rows_plus_1"]) -> pa.Array:
    num_bytes = 1 + (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)
    byte_of = np.concatenate([[0], np.cumsum(num_bytes)])
    data = codes.astype("<u4").tobytes().decode("utf-32-le").encode()
    offsets = pa.py_buffer(byte_of[begin].astype(np.int32).tobytes())
    return pa.StringArray.from_buffers(len(begin) - 1, offsets, pa.py_buffer(data))
