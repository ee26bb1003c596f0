"""Where a log is cut: the training window and its slices, the validation window, the test window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Int8, Int64

from aisle.core.errors import TableError

__all__ = ["MOST_SLICES", "NO_SPLIT", "TEST", "TRAIN", "VALIDATION", "Windows", "continue_windows", "find_windows"]

TRAIN, VALIDATION, TEST, NO_SPLIT = 0, 1, 2, -1
"""Codes of a search's split; `NO_SPLIT` where the log names none."""

FOREVER = 2**62
"""A time after every other, in microseconds."""

MOST_SLICES = 100
"""Most slices of a training window; their numbers are small integers."""


@dataclass(frozen=True)
class Windows:
    """Boundaries between distinct times, in microseconds since 1970, UTC. A boundary belongs to what begins there.

    They are found once from the whole log and are inputs of everything else, so that "before" has one meaning: a later
    event may move them, but with given boundaries no later event changes what lies before it.

    Attributes:
        snapshot_times: Beginning of slices 1, 2, …, and last the end of training: the times of snapshots 1, 2, ….
        validation_from: First time that validates, where the log does not name validation searches; else `FOREVER`.
        test_from: First test time; `FOREVER` where there is none.
        validation_until: Time as of which validation searches are labelled: the test window's beginning.
    """

    snapshot_times: tuple[int, ...]
    validation_from: int
    test_from: int
    validation_until: int

    @property
    def train_end(self) -> int:
        """Beginning of what is held out; training searches lie before it, and are labelled as of it."""
        return self.snapshot_times[-1]

    @property
    def num_slices(self) -> int:
        """Number of slices of the training window, and of snapshots."""
        return len(self.snapshot_times)

    def as_dict(self) -> dict[str, Any]:
        """Return ISO 8601 times."""
        return {
            "slices": self.num_slices,
            "slice_starts": [_iso(time) for time in self.snapshot_times[:-1]],
            "train_end": _iso(self.train_end),
            "test_from": _iso(self.test_from) if self.test_from != FOREVER else None,
        }


def find_windows(
    searched_us: Int64[np.ndarray, " searches"],
    split: Int8[np.ndarray, " searches"],
    *,
    num_slices: int,
    validation_share: float,
    test_share: float,
) -> Windows:
    """Cut a log by time, in the middle of no instant.

    Where the log names no splits, the last `test_share` of the searches are the test window. Where it names no
    validation searches, the last `validation_share` of the searches before the test window validate. Shares are of
    searches, not of time, so that one search with a broken clock moves no boundary. Searches before the first held-out
    one are for training, cut into slices of equal numbers.

    Args:
        searched_us: Time of every search, microseconds.
        split: `TRAIN`, `VALIDATION`, `TEST` or `NO_SPLIT`.
        num_slices: Wished number of slices; fewer where too many searches share a time.
        validation_share: See above.
        test_share: See above.

    Raises:
        TableError: If there is no search, there are too few distinct times to cut between, or most searches that the
            log names training lie after the first held-out one.
    """
    if len(searched_us) == 0:
        raise TableError(
            "The log must hold searches", received={"searches": 0}, remedy="Import the table of searches again."
        )
    if searched_us.min() == searched_us.max():
        raise TableError(
            "The log must span more than one time: what is before and what is after a search decides what is mined",
            received={"searches": len(searched_us), "distinct_times": 1},
            remedy="Map `searched_at` to the time of each search, or to its order number.",
        )
    times, held_out = _held_out(searched_us, split, validation_share=validation_share, test_share=test_share)
    starts = _slice_starts(times[times < held_out.train_end], num_slices)
    return replace(held_out, snapshot_times=(*starts, held_out.train_end))


def continue_windows(
    mined: Windows,
    searched_us: Int64[np.ndarray, " searches"],
    split: Int8[np.ndarray, " searches"],
    *,
    validation_share: float,
    test_share: float,
) -> Windows:
    """Cut a log that went on: the slices that were mined stay, and what has joined the training window follows them.

    The validation and the test window are those of `find_windows`. What joins is one slice, or several of about the
    size of those before where it is that long; none where the validation window begins where it did.

    Args:
        mined: Windows of the shorter log.
        searched_us: Time of every search of the longer one, microseconds.
        split: `TRAIN`, `VALIDATION`, `TEST` or `NO_SPLIT`.
        validation_share: As in `find_windows`.
        test_share: As in `find_windows`.

    Raises:
        TableError: If the training window would end before the one that was mined, or have more than `MOST_SLICES`.
    """
    times, held_out = _held_out(searched_us, split, validation_share=validation_share, test_share=test_share)
    begin, end = mined.train_end, held_out.train_end
    if end < begin:
        raise TableError(
            "The training window of a log that went on must end no earlier than before",
            received={"train_end_before": _iso(begin), "train_end": _iso(end)},
            remedy="Run `aisle mine` without --since.",
        )
    if end == begin:
        return replace(held_out, snapshot_times=mined.snapshot_times)
    joined = times[(times >= begin) & (times < end)]
    usual = max(1, int((times < begin).sum()) // mined.num_slices)
    num_new = max(1, round(len(joined) / usual))
    starts = _slice_starts(joined, num_new) if num_new > 1 and _num_distinct(joined) > 1 else []
    snapshot_times = (*mined.snapshot_times, *starts, end)
    if len(snapshot_times) > MOST_SLICES:
        raise TableError(
            f"A training window must have at most {MOST_SLICES} slices",
            received={"slices": len(snapshot_times)},
            remedy="Run `aisle mine` without --since: it cuts the window anew.",
        )
    return replace(held_out, snapshot_times=snapshot_times)


def _held_out(
    searched_us: Int64[np.ndarray, " searches"],
    split: Int8[np.ndarray, " searches"],
    *,
    validation_share: float,
    test_share: float,
) -> tuple[Int64[np.ndarray, " searches"], Windows]:
    """Return the times in their order, and windows without slices of what is trained on."""
    order = np.argsort(searched_us, kind="stable")
    times, split = searched_us[order], split[order]
    named = bool((split != NO_SPLIT).any())
    test_from = _first(times, split == TEST) if named else _cut(times, share=test_share)
    before_test = times < test_from
    validation = split == VALIDATION
    validation_from = FOREVER if validation.any() else _cut(times[before_test], share=validation_share)
    _refuse_mixed(times, split, held_out_from=min(_first(times, validation), test_from))
    train_end = min(_first(times, validation), validation_from, test_from)
    validation_until = FOREVER if (validation & ~before_test).any() else test_from
    return times, Windows((train_end,), validation_from, test_from, validation_until)


def _refuse_mixed(
    times: Int64[np.ndarray, " searches"], split: Int8[np.ndarray, " searches"], *, held_out_from: int
) -> None:
    """Refuse splits that were drawn at random: hardly a training search is left before the first held-out one."""
    training = split == TRAIN
    later = int((training & (times >= held_out_from)).sum())
    if 2 * later > int(training.sum()):
        raise TableError(
            "Splits of a log must follow each other in time, training searches first",
            received={"training_searches": int(training.sum()), "after_the_first_held_out_one": later},
            remedy="Import the searches without the column `split`; they are then split by time.",
        )


def _first(times: Int64[np.ndarray, " searches"], chosen: Bool[np.ndarray, " searches"]) -> int:
    return int(times[chosen].min()) if chosen.any() else FOREVER


def _cut(times: Int64[np.ndarray, " searches"], *, share: float) -> int:
    """Return the time at which about the last `share` of the searches begins; times are sorted."""
    place = int(np.ceil(len(times) * (1 - share)))
    return _boundaries(times, np.array([place], np.int64)).tolist()[0] if _num_distinct(times) > 1 else FOREVER


def _slice_starts(times: Int64[np.ndarray, " searches"], num_slices: int) -> list[int]:
    if _num_distinct(times) < 2:
        raise TableError(
            "The training window must span more than one time: its first slice only feeds the others",
            received={"training_searches": len(times), "distinct_times": _num_distinct(times)},
            remedy="Bring a longer log, or a smaller validation_share and test_share; where the log has a column "
            "`split`, its training searches must come before the others.",
        )
    places = np.arange(1, num_slices) * len(times) // num_slices
    return [int(start) for start in np.unique(_boundaries(times, places))]


def _num_distinct(times: Int64[np.ndarray, " searches"]) -> int:
    """Count distinct times as none, one or (at least) two; times are sorted."""
    return min(2, len(times)) if len(times) < 2 or times[0] != times[-1] else 1


def _boundaries(
    times: Int64[np.ndarray, " searches"], places: Int64[np.ndarray, " boundaries"]
) -> Int64[np.ndarray, " boundaries"]:
    """Return the boundary between distinct times nearest to each place; times are sorted, and not all the same."""
    at_place = times[np.minimum(places, len(times) - 1)]
    first, end = np.searchsorted(times, at_place, side="left"), np.searchsorted(times, at_place, side="right")
    take_end = ((end - places < places - first) & (end < len(times))) | (first == 0)
    return np.asarray(times[np.where(take_end, end, first)], np.int64)


def _iso(time_us: int) -> str:
    return f"{np.datetime64(time_us, 'us')}Z"
