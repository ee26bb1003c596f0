"""Small artefacts as the commands write them, with hostile words where a shop's own words come through."""

import pytest

from aisle.reporting.report import Made

HOSTILE = "<script>alert('x')</script> & \"co\""


def estimate(value, width=0.1):
    return {"value": value, "low": value - width, "high": value + width}


def difference(value, width=0.1, p=0.0004):
    return {"difference": value, "low": value - width, "high": value + width, "p": p}


def summary(queries, lexical, hybrid):
    names = ("R@10", "R@100")
    return {
        "queries": queries,
        "systems": {
            "lexical": {name: estimate(lexical) for name in names},
            "hybrid": {name: estimate(hybrid) for name in names},
        },
        "paired": {"hybrid - lexical": {name: difference(hybrid - lexical) for name in names}},
        "overlap@10": {},
    }


@pytest.fixture
def hostile():
    """Words that must never become markup."""
    return HOSTILE


@pytest.fixture
def made():
    """How an artefact came to be, with one input that has changed."""
    return Made(
        "aisle evaluate", "evaluation/log-test/", "2026-11-21T18:40:57+00:00", 7, "ab" * 32, "0.1.0", ("index",)
    )


@pytest.fixture
def evaluation():
    """What `aisle evaluate` keeps."""
    nothing = {"value": None, "low": None, "high": None}
    empty = summary(0, 0.0, 0.0)
    empty["systems"] = {system: dict.fromkeys(("R@10", "R@100"), nothing) for system in ("lexical", "hybrid")}
    return {
        **summary(1234, 0.25, 0.75),
        "min_grade": 1.0,
        "by": {"head": summary(400, 0.5, 0.5), HOSTILE: summary(34, 0.125, 0.875), "nobody": empty},
        "labels": "log",
        "labelled": "orders",
        "split": "test",
        "simulated": False,
        "measures": ["R@10", "R@100"],
        "hybrid": {"fusion": "normalised", "depth": 200, "semantic_weight": 0.5, "weight_from": "fixed default"},
        "shown_by": {"ranked": 0.9},
        "relevance": {"measure": "nDCG@10", "graded_by": "judgments of test", "queries": 20}
        | {"systems": {"lexical": {"nDCG@10": estimate(0.5)}}},
        "judged_products_not_in_catalogue": 3,
    }


@pytest.fixture
def debiased(evaluation):
    """What `aisle evaluate --debiased` keeps."""

    def recall(value):
        return {name: {f"R@{k}": estimate(value * k / 100, 0.01) for k in (10, 100)} for name in ("lexical", HOSTILE)}

    found = {
        "searches": 321,
        "positives": 4321,
        "effective_positives": 210.4,
        "clipped_share": 0.0125,
        "propensity_told_share": 0.75,
        "plain": recall(0.5),
        "debiased": recall(0.25),
        "coverage@10": {"lexical": 0.5, HOSTILE: 0.25},
        "shown_by": None,
        "min_coverage": 0.1,
        "max_weight": 1000.0,
    }
    return {**evaluation, "debiased": found}


@pytest.fixture
def comparison():
    """What `aisle compare` keeps."""
    change = {
        "query": HOSTILE,
        "slice": "head",
        "difference": 0.5,
        "product": {"product_id": "p1", "title": HOSTILE},
        "first_place": None,
        "second_place": 1,
        "instead": [{"product_id": "p2", "title": ""}],
    }
    measures = {"nDCG@10": {"first": 0.2, "second": 0.3, "corrected_p": 0.012, **difference(0.1, 0.05)}}
    return {
        "first": "lexical",
        "second": "hybrid",
        "labels": "truth",
        "labelled": "true products",
        "simulated": True,
        "measures": ["nDCG@10"],
        "tests": 2,
        "slices": {"all": {"queries": 90, "measures": measures}},
        "queries_by_first_measure": {"better": 50, "worse": 30, "alike": 10},
        "wins": [change],
        "losses": [{**change, "difference": -0.25, "first_place": 2, "second_place": 1200}],
        "notes": [HOSTILE],
    }


@pytest.fixture
def ablation():
    """`ablation.json` and `tables.json` of `aisle ablate`."""

    def row(name, value, baseline=None, p=1.0):
        measures = {"R@100": {**estimate(value), "seeds": [value - 0.01, value + 0.01]}}
        if baseline is not None:
            measures["R@100"]["baseline_minus_this"] = {**difference(0.9 - value, 0.05), "p_holm": p}
        return {"name": name, "seeds": 3, "baseline": baseline, "measures": measures, "slices": {}}

    claim = {
        "row": "without graph",
        "measure": "R@100",
        "claim": "the graph earns about +15 %",
        "source": "Etsy",
        "note": "second-hand",
        "slice": "all",
        "lift": 0.15,
        "measured_lift": {"value": 0.2, "low": 0.1, "high": 0.3},
        "sign": "agrees",
        "holds_figure": True,
    }
    rows = [row("unified", 0.9), row("without graph", 0.75, "unified", 0.001), row(HOSTILE, 0.89, "unified")]
    values = {
        "simulated": True,
        "labelled": "true products (simulated)",
        "searches": 251,
        "seeds": 3,
        "rows": rows,
        "claims": [claim, {**claim, "row": "JD's", "lift": None, "holds_figure": None}],
    }
    return values, [{"title": "R@100 by slice", "header": ["row", "head"], "rows": [["unified", ".942"]]}]


@pytest.fixture
def abtest():
    """`result.json` of `aisle abtest A B --paired --aa 200`."""
    arm = {"shoppers": 50, "chances": 500, "taken": 20, "value": 0.04, "relative_error": 0.1}
    lift = {"value": 0.125, "low": 0.05, "high": 0.2, "p": 0.001, "a": arm, "b": {**arm, "value": 0.045}}
    lifts = {f"{name}_lift": lift for name in ("purchase_rate", "conversion", "click_rate")}
    side = {"searches": 70, "candidates": 0.5, "page": 0.25, "kept": 0.5, "place": 7.25}
    power = {"rate": 0.04, "pilot_searches": 200, "minimal_lift": 0.3, "expected_lift": 0.0558, "chance": 0.0625}
    return {
        "simulated": True,
        "a": "lexical",
        "b": HOSTILE,
        "config": {"searches": 200_000},
        "power": {"purchase_rate": power},
        "searches": 199_000,
        **lifts,
        "bands": {"head": {**lift, "adds": {"value": 0.0625, "low": -0.01, "high": 0.1}}},
        "looks": [
            {"day": 1, "searches": 900, "value": None, "low": None, "high": None, "p": 1.0},
            {"day": 2, "searches": 1_900, "value": 0.5, "low": -0.9, "high": 40.0, "p": 0.9},
            {"day": 3, "searches": 199_000, "value": 0.125, "low": 0.025, "high": 0.25, "p": 0.01},
        ],
        "funnel": {"all": {"a": side, "b": {**side, "place": None}}},
        "paired": {**lifts, "bands": {"head": lift}},
        "aa_searches": 1_000,
        "aa_runs": 200,
        "aa_rejections": 9,
    }


@pytest.fixture
def tuning():
    """`tuning.json` of `aisle tune`."""

    def point(queries_s, ann_recall, links):
        settings = {"num_links": links}
        return {"kind": "hnsw", "settings": settings, "ann_recall": ann_recall, "queries_s": queries_s} | {
            "bytes_per_product": 700.0,
            "build_s": 1.0,
        }

    points = [point(4000.0, 0.9, 8), point(2500.0, 0.98, 16), point(1200.0, 1.0, 32), point(1000.0, 0.97, 64)]
    return {
        "chosen": points[1],
        "asked": 0.97,
        "k": 100,
        "queries": 500,
        "products": 20_000,
        "tried": 4,
        "exact_queries_s": 300.0,
        "front": points[:3],
        "points": points,
    }


@pytest.fixture
def boost():
    """Summary of `aisle boost`."""
    gain = {"gain": 0.02, "low": 0.005, "high": 0.04, "p": 0.01}
    found = {"searches": 90, "R@100": {"without": 0.7, "with": 0.72, **gain}}
    return {
        "kept": True,
        "off": False,
        "reason": "validation orders gain beyond their interval",
        "weights": {"quality_stars": 0.125, "order rate": 0.0},
        "validation": {"searches": 800, "gain": {"R@100": gain, "sum": gain}},
        "test": {"log": {"labelled": "orders", "systems": {"semantic": {"all": found, "head": found}}}},
        "simulated": False,
    }
