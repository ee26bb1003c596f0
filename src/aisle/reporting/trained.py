"""What there is to tell of a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aisle.towers import TowerConfig
from aisle.training import TrainConfig, TrainingResult

__all__ = ["Trained"]

_STAGES = ("ordered", "carted", "favorited", "clicked")


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One finished training.

    Attributes:
        towers: Parts and fusion.
        train: Settings of the loop.
        result: What it came to.
        seed: Seed of the run.
        parameters: Numbers that were learnt.
        learnt_from: Summary of the features: products, pairs, validation queries and where they come from.
        log: Summary of the mined log, or None where no log was learnt.
        data_hash: SHA-256 over all features, which hold everything that was read.
        started_from: Content of the model that was gone on from (`model`), and until when that had learnt
            (`learnt_until`); None where training began anew.
    """

    towers: TowerConfig
    train: TrainConfig
    result: TrainingResult
    seed: int
    parameters: int
    learnt_from: Mapping[str, Any]
    log: Mapping[str, Any] | None
    data_hash: str
    started_from: Mapping[str, str] | None = None

    def parts(self) -> str:
        """Return the parts with their dimensions, and the fusion, in words."""
        dims = ", ".join(f"{name} ({dim} dimensions)" for name, dim in self.towers.part_dims().items())
        history = "; history corrects the query" if self.towers.history.enabled else ""
        return f"{dims}; fusion: {self.towers.fusion}{history}"

    def sources(self) -> list[tuple[str, str]]:
        """Return what was learnt from, as rows of name and value."""
        known = self.learnt_from
        names = {"logged_pairs": "from the log", "judged_pairs": "judged"}
        told = [f"{known[name]:,} {words}" for name, words in names.items() if name in known]
        rows = [
            ("products", f"{known['products']:,}"),
            ("pairs", f"{known['pairs']:,}" + (f", of which {', '.join(told)}" if told else "")),
            ("validation queries", f"{known['validation_queries']:,}, {known['validation_from']}"),
        ]
        if self.log is not None:
            windows, split = self.log["windows"], self.log["splits"]["train"]
            starts = [*windows["slice_starts"], windows["train_end"]]
            stages = ", ".join(f"{split[stage]:,} {stage}" for stage in _STAGES)
            rows += [
                ("searches", f"{split['searches']:,}; products {stages}"),
                ("learnt window", f"{_day(starts[0])} to {_day(windows['train_end'])}"),
                ("validation window", f"{_day(windows['train_end'])} to {_day(windows['test_from'])}"),
            ]
        if self.started_from is not None:
            start = self.started_from
            rows.append(
                ("gone on from", f"model {start['model']}, which had learnt until {_day(start['learnt_until'])}")
            )
        return [*rows, ("seed", str(self.seed)), ("data (SHA-256)", self.data_hash)]

    def figures(self) -> list[tuple[str, str]]:
        """Return what came of it, as rows of name and value."""
        result = self.result
        measures = ", ".join(f"{name} {value:.4f}" for name, value in result.measures.items())
        return [
            ("validation", f"{measures}; weights chosen by {result.stop_measure}"),
            ("steps", f"{result.steps:,} of {result.planned_steps:,} planned, {result.batch_size:,} pairs each"),
            ("weights of step", f"{result.best_step:,}"),
            ("time", f"{result.minutes:.1f} minutes, {result.pairs_s:,.0f} pairs/s"),
            ("texts encoded per pair", f"{result.encodes_per_pair:.2f}"),
            ("parameters", f"{self.parameters:,}"),
        ]


def _day(time: str | None) -> str:
    return time[:10] if time else "the end"
