"""Who was told what: the writes of a crash test, and what is found of them afterwards.

A write is a *call* of some rows. Every row carries the call's token twice, so that a row made of two writes shows; and
every call tells its number of rows, so that half a call shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """Calls by token: their number of rows, and whether they were acknowledged.

    >>> ledger = Ledger()
    >>> ledger.send("one", 2), ledger.send("two", 1), ledger.acknowledge("one"), ledger.acknowledge("two")
    (None, None, None, None)
    >>> ledger.compare([("one", "one"), ("three", "four")])
    Findings(acknowledged=2, lost=2, half_written=2)
    """

    sent: dict[str, int] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)

    def send(self, token: str, num_rows: int) -> None:
        """Note a call that is about to be made."""
        self.sent[token] = num_rows

    def acknowledge(self, token: str) -> None:
        """Note that a call's caller was told that it is durable."""
        self.acknowledged.add(token)

    def compare(self, rows: Iterable[tuple[str, str]]) -> Findings:
        """Hold the rows that are found, each by its two tokens, against what was sent.

        Half-written are rows of two tokens or of none that was sent, and calls of which only a part is there. Lost are
        acknowledged calls that are not there whole.
        """
        found, mixed = Counter[str](), 0
        for first, second in rows:
            if first == second and first in self.sent:
                found[first] += 1
            else:
                mixed += 1
        half = sum(count != self.sent[token] for token, count in found.items())
        lost = sum(found[token] != self.sent[token] for token in self.acknowledged)
        return Findings(len(self.acknowledged), lost, half + mixed)


@dataclass(frozen=True)
class Findings:
    """What a crash test found.

    Attributes:
        acknowledged: Calls whose caller was told that they are durable.
        lost: Those of them that are not there.
        half_written: Rows or calls of which only a part is there.
    """

    acknowledged: int
    lost: int
    half_written: int

    def __add__(self, other: Findings) -> Findings:
        """Add the counts of two tests."""
        return Findings(
            self.acknowledged + other.acknowledged, self.lost + other.lost, self.half_written + other.half_written
        )


NOTHING = Findings(0, 0, 0)
