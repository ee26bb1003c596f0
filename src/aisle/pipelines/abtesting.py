"""An A/B test of two retrieval systems among the shoppers of a simulated marketplace; the artefacts `abtest/…`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow.compute as pc
from jaxtyping import Bool

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import UsageError, WorkspaceError
from aisle.core.progress import progress_bar
from aisle.core.text import normalise_texts
from aisle.experiments.arms import assign_arms, split_again
from aisle.experiments.funnel import funnels
from aisle.experiments.lift import Rate, arm_rate, paired_lift
from aisle.experiments.power import power_of
from aisle.experiments.setups import LiveSetup, SplitSetup
from aisle.experiments.trial import clicks, conversions, purchases, trial_of
from aisle.mining import BANDS
from aisle.pipelines.boosted import BOOST, has_boost
from aisle.pipelines.mining import load_mined
from aisle.pipelines.searching import SYSTEMS, load_retrievers, load_shoppers
from aisle.pipelines.simulating import build_marketplace
from aisle.retrieval import Shoppers
from aisle.simulation import Environment, Marketplace, MarketplaceConfig, Outcome, RetrievalSetup
from aisle.workspace import Manifest, StepResult, Workspace, file_sha256, fingerprint

__all__ = [
    "LIVE_CONVERSION_LIFT",
    "LIVE_PURCHASE_LIFT",
    "ABTestConfig",
    "ab_test",
    "estimate_power",
    "read_result",
    "read_results",
    "system_hash",
]

LIVE_PURCHASE_LIFT = 0.0558
"""Lift of the search purchase rate that Etsy reports of its unified embedding, live (Jha et al. 2023)."""
LIVE_CONVERSION_LIFT = 0.0263
"""Lift of the site-wide conversion, of the same launch."""

_FOLDER, _RESULT = "abtest", "result.json"
_LEAST_PER_NEED = 1.05
"""Searches per need, less than there are: a run stops where it has enough."""
_PILOT_SHARE, _LEAST_PILOT = 0.1, 20_000
"""Share of the shoppers that the pilot takes, and its least searches where the test has as many."""
_PILOT_RUN = 1 << 19
"""Runs from here on are pilots: other visits and other needs than those of any test."""
_MOST_SEED = _PILOT_RUN - 1


@dataclass(frozen=True)
class ABTestConfig:
    """Size and seed of an A/B test."""

    searches: int = 200_000
    """Simulated searches, of both arms together. More: smaller lifts can be seen."""

    split: float = 0.5
    """Share of the shoppers that meet B. One half sees most for the same number of searches."""

    k: int = 100
    """Candidates that a system hands to the fixed ranker. More leave more to the ranker."""

    seed: int = 0
    """Seed of the split, and number of the run: another one is other visits with other needs."""

    paired: bool = False
    """Whether all shoppers also meet both systems, each with the same needs, as only a simulation can. Three times the
    searches."""

    aa_runs: int = 0
    """Times that a recorded run of A is split again to test it against itself; 0: not at all."""


@dataclass(frozen=True)
class _System:
    """A system of this or of another workspace."""

    workspace: Workspace
    name: str
    label: str

    @property
    def hash(self) -> str:
        """Hash of all that its answers depend on."""
        return system_hash(self.workspace, self.name)


def ab_test(
    workspace: Workspace, a: str, b: str | None, *, config: ABTestConfig, catalogue: Path | None = None
) -> StepResult:
    """Test two retrieval systems on simulated shoppers behind one fixed ranker; skipped when nothing changed.

    Args:
        workspace: A simulated marketplace where systems were indexed.
        a: `lexical`, `semantic` or `hybrid`, or `PATH:system` for a system of another workspace of the same shop.
        b: The other system; None: only the A/A test.
        config: Size and seed.
        catalogue: The file that was given to `aisle simulate --catalogue`.

    Returns:
        The step; `read_result` reads what it came to.

    Raises:
        UsageError: If a system or a setting cannot be used.
        WorkspaceError: If the marketplace is not simulated, or the systems are of different ones.
    """
    _check(config, b)
    chosen = [_system(workspace, text) for text in (a, b) if text is not None]
    labels = [system.label for system in chosen]
    inputs = {"simulation": _simulation(workspace)}
    inputs |= {side: system.hash for side, system in zip(("a", "b"), chosen, strict=False)}
    settings = {"a": labels[0], "b": labels[-1], "config": config_to_dict(config)}

    def build(folder: Path) -> dict[str, Any]:
        test = _Test(workspace, chosen, config=config, catalogue=catalogue)
        result = {"simulated": True, **settings, **test.result()}
        (folder / _RESULT).write_bytes(orjson.dumps(result, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2))
        return {"searches": result.get("searches", result.get("aa_searches"))}

    kept = Workspace.open(workspace.path / _FOLDER, create=True)
    return kept.run_step(_name(labels), build, inputs=inputs, config=settings, seed=config.seed)


def estimate_power(
    workspace: Workspace, a: str, *, config: ABTestConfig, catalogue: Path | None = None
) -> dict[str, Any]:
    """Estimate what a test against A could see, from a pilot of A alone; nothing is written.

    Raises:
        UsageError: If the system or a setting cannot be used, or the pilot led to no order.
        WorkspaceError: If the marketplace is not simulated.
    """
    _check(config, a)
    test = _Test(workspace, [_system(workspace, a)], config=config, catalogue=catalogue)
    return {"simulated": True, "a": a, "config": config_to_dict(config), "power": test.power()}


def read_result(workspace: Workspace, step: StepResult) -> dict[str, Any]:
    """Read what `ab_test` wrote."""
    folder = Workspace.open(workspace.path / _FOLDER).verified(step.manifest.step)
    result: dict[str, Any] = json.loads((folder / _RESULT).read_text(encoding="utf-8"))
    return result


def read_results(workspace: Workspace) -> list[tuple[Manifest, dict[str, Any]]]:
    """Read all that A/B tests of a workspace came to, by name, each with its manifest."""
    if not (workspace.path / _FOLDER).exists():
        return []
    kept = Workspace.open(workspace.path / _FOLDER)
    manifests = [kept.manifest(name) for name in kept.names()]
    return [(manifest, read_result(workspace, StepResult(manifest, skipped=True))) for manifest in manifests]


def system_hash(workspace: Workspace, name: str) -> str:
    """Return a hash of all that the answers of a system depend on."""
    read = {one: workspace.manifest(one).content for one in ("index", "model")}
    if has_boost(workspace):
        read[BOOST] = workspace.manifest(BOOST).content
    if workspace.has("mined"):
        read["mined"] = workspace.manifest("mined").content
    return fingerprint({"system": name, **read})


class _Test:
    """The marketplace of a workspace with the set-ups that are tried there."""

    def __init__(
        self, workspace: Workspace, systems: list[_System], *, config: ABTestConfig, catalogue: Path | None
    ) -> None:
        self._workspace, self._config = workspace, config
        self._market = _market(workspace, catalogue)
        self._environment = Environment(self._market)
        self._num_shoppers = len(self._market.shoppers)
        self._systems = systems
        self._setups = [self._setup(system) for system in systems]

    def result(self) -> dict[str, Any]:
        config, found = self._config, {"power": self.power()}
        if len(self._setups) == 2:
            found |= self._trial()
        if config.aa_runs or config.paired:
            whole = self._run(self._setups[0], "everybody meets A")
            found |= self._aa(whole) if config.aa_runs else {}
            found |= {"paired": self._paired(whole)} if config.paired else {}
        return found

    def power(self) -> dict[str, Any]:
        """Let some shoppers search with A alone, and say what a test of all of them could see."""
        config = self._config
        share = min(1.0, max(_PILOT_SHARE, _LEAST_PILOT / config.searches))
        users = assign_arms(self._num_shoppers, split=share, seed=_PILOT_RUN + config.seed)
        pilot = self._run(self._setups[0], "pilot", run=_PILOT_RUN + config.seed, users=users)
        rates = {
            "purchase_rate": (purchases(pilot, self._num_shoppers), LIVE_PURCHASE_LIFT),
            "conversion": (conversions(pilot, self._num_shoppers), LIVE_CONVERSION_LIFT),
        }
        return {
            name: power_of(
                arm_rate(rate, users),
                pilot_searches=len(pilot.search_visit),
                searches=config.searches,
                split=config.split,
                expected_lift=lift,
            ).as_dict()
            for name, (rate, lift) in rates.items()
        }

    def _trial(self) -> dict[str, Any]:
        a, b = self._setups
        in_b = assign_arms(self._num_shoppers, split=self._config.split, seed=self._config.seed)
        outcome = self._run(SplitSetup(a, b, in_b), "A/B test")
        bands = self._bands(outcome)
        trial = trial_of(outcome, in_b, bands=bands, days=self._environment.days)
        speed = {side: setup.searches_per_second for side, setup in zip("ab", self._setups, strict=True)}
        way = funnels(self._market, {"a": a, "b": b}, outcome, slices=bands)
        told = {label: {side: one.as_dict() for side, one in by_side.items()} for label, by_side in way.items()}
        searches = len(outcome.search_visit)
        return {"searches": searches, **trial.as_dict(), "funnel": told, "searches_per_second": speed}

    def _aa(self, whole: Outcome) -> dict[str, Any]:
        config = self._config
        rate = purchases(whole, self._num_shoppers)
        test = split_again(rate, runs=config.aa_runs, split=config.split, seed=config.seed)
        return {
            "aa_searches": len(whole.search_visit),
            "aa_runs": test.runs,
            "aa_rejections": test.rejections,
            "aa_p": test.p,
        }

    def _paired(self, whole: Outcome) -> dict[str, Any]:
        """Let the same shoppers come for the same needs to B."""
        users = np.arange(self._num_shoppers) <= whole.visit_user.max()
        other = self._run(self._setups[1], "everybody meets B", users=users, stops=False)
        rates: dict[str, tuple[Rate, Rate]] = {
            f"{name}_lift": (rate(whole, self._num_shoppers), rate(other, self._num_shoppers))
            for name, rate in (("purchase_rate", purchases), ("conversion", conversions), ("click_rate", clicks))
        }
        of_a, of_b = self._bands(whole), self._bands(other)
        by_band = {
            name: paired_lift(
                purchases(whole, self._num_shoppers, rows), purchases(other, self._num_shoppers, of_b[name])
            ).as_dict()
            for name, rows in of_a.items()
        }
        return {**{name: paired_lift(*both).as_dict() for name, both in rates.items()}, "bands": by_band}

    def _run(
        self,
        setup: RetrievalSetup,
        title: str,
        *,
        run: int | None = None,
        users: Bool[np.ndarray, " users"] | None = None,
        stops: bool = True,
    ) -> Outcome:
        config = self._config
        total = config.searches if users is None else round(config.searches * float(users.mean()))
        with progress_bar(f"{title} (simulated)", total=total, unit="searches") as advance:
            return self._environment.run(
                setup,
                num_needs=round(config.searches / _LEAST_PER_NEED),
                run=config.seed if run is None else run,
                users=users,
                num_searches=total if stops else None,
                advance=advance,
            )

    def _setup(self, system: _System) -> LiveSetup:
        (retriever,) = load_retrievers(system.workspace, [system.name]).values()
        # Words alone know nobody: what is known of shoppers need not be read.
        shoppers = Shoppers() if system.name == "lexical" else load_shoppers(system.workspace)
        return LiveSetup(retriever, shoppers, market=self._market, days=self._environment.days, k=self._config.k)

    def _bands(self, outcome: Outcome) -> dict[str, Bool[np.ndarray, " searches"]]:
        """Sort searches by the band of their query at the end of training."""
        if not self._workspace.has("mined"):
            return {}
        queries = load_mined(self._workspace).table("queries")
        keys = normalise_texts(outcome.requests.text)
        place = pc.index_in(keys, value_set=queries.column("text").combine_chunks())
        found = pc.fill_null(queries.column("band").combine_chunks().take(place), BANDS[-1])
        return {name: pc.equal(found, name).to_numpy(zero_copy_only=False) for name in BANDS}


def _system(workspace: Workspace, text: str) -> _System:
    path, _, name = text.rpartition(":")
    if name not in SYSTEMS:
        raise UsageError(
            f"A system must be {', '.join(SYSTEMS)} or PATH:system",
            received={"system": text},
            remedy="Name a system of this workspace, or the folder of another one, a colon and a system.",
        )
    if not path:
        return _System(workspace, name, name)
    other = Workspace.open(Path(path))
    ours, theirs = _simulation(workspace), _simulation(other)
    if ours != theirs:
        raise WorkspaceError(
            "Both systems must be of the same simulated shop",
            received={"workspace": str(workspace.path), "shop": ours[:12], "other": path, "its_shop": theirs[:12]},
            remedy="Simulate the other workspace with the same sizes and seed.",
        )
    return _System(other, name, f"{name}@{other.path.resolve().name}")


def _simulation(workspace: Workspace) -> str:
    if not workspace.has("simulation"):
        raise WorkspaceError(
            "An A/B test needs shoppers: the workspace must hold a simulated marketplace",
            received={"workspace": str(workspace.path), "holds": workspace.names()},
            remedy="Make one with `aisle simulate --searches N`; a log alone cannot say what others would have bought.",
        )
    return workspace.manifest("simulation").content


def _market(workspace: Workspace, catalogue: Path | None) -> Marketplace:
    manifest = workspace.manifest("simulation")
    wanted = manifest.inputs.get("catalogue")
    given = file_sha256(catalogue) if catalogue is not None else None
    if wanted != given:
        raise UsageError(
            "The catalogue must be the one that the marketplace was simulated with",
            received={"catalogue": str(catalogue) if catalogue is not None else None, "needs_one": wanted is not None},
            remedy="Give the file of `aisle simulate --catalogue`." if wanted else "Leave --catalogue out.",
        )
    return build_marketplace(config_from_dict(MarketplaceConfig, manifest.config), catalogue=catalogue)


def _check(config: ABTestConfig, b: str | None) -> None:
    problems = {
        "searches": config.searches < 100,
        "split": not 0 < config.split < 1,
        "k": config.k < 1,
        "aa_runs": config.aa_runs < 0,
        "seed": not 0 <= config.seed <= _MOST_SEED,
    }
    wrong = {name: getattr(config, name) for name, is_wrong in problems.items() if is_wrong}
    if wrong:
        raise UsageError(
            f"A test needs 100 searches, a split between 0 and 1, k from 1 and a seed from 0 to {_MOST_SEED}",
            received=wrong,
            remedy="Mend these values.",
        )
    if b is None and (config.paired or not config.aa_runs):
        raise UsageError(
            "One system alone can only be tested against itself",
            received={"b": None, "aa_runs": config.aa_runs, "paired": config.paired},
            remedy="Name a second system, or ask for --aa 200.",
        )


def _name(labels: list[str]) -> str:
    return "-vs-".join(labels if len(labels) == 2 else [labels[0], labels[0]])
