from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest

from aisle.core.errors import ConfigError, UsageError
from aisle.index import ExactIndex, HnswConfig, HnswIndex, IndexConfig, Point, choose_point, pareto_front, try_settings
from aisle.index.tuning import queries_per_second


def point(queries_s, ann_recall, num_bytes=100.0, **settings):
    return Point("hnsw", settings, ann_recall, float(queries_s), num_bytes, build_s=1.0)


TABLE = [point(100, 0.999), point(900, 0.96), point(500, 0.98), point(500, 0.98, 60.0), point(400, 0.97), point(50, 1)]


def test_the_fastest_that_keeps_the_recall_is_chosen_and_of_equals_the_smaller():
    assert choose_point(TABLE, least_recall=0.97) is TABLE[3]
    assert choose_point(TABLE, least_recall=0.98) is TABLE[3]
    assert choose_point(TABLE, least_recall=0.99) is TABLE[0]
    assert choose_point(TABLE, least_recall=0.5) is TABLE[1]
    assert choose_point(TABLE, least_recall=1.0) is TABLE[5]


def test_nothing_that_keeps_the_recall_is_told_with_the_best_there_is():
    with pytest.raises(
        UsageError, match=r"must keep the recall.*ann_recall=0.99, best=0.98.*'ef_search': 512.*tried=2"
    ):
        choose_point([point(9, 0.9), point(1, 0.98, ef_search=512)], least_recall=0.99)
    with pytest.raises(UsageError, match="best=None"):
        choose_point([], least_recall=0.5)


def test_the_front_leaves_out_what_another_beats():
    assert pareto_front(TABLE) == [TABLE[1], TABLE[3], TABLE[0], TABLE[5]]
    assert pareto_front([]) == []


def test_a_point_makes_a_config_and_keeps_what_was_not_tried():
    base = IndexConfig(kind="exact", hnsw=HnswConfig(build_threads=1))
    made = point(1, 1, ef_search=200, storage="sq8").config(base)
    assert made == IndexConfig("hnsw", HnswConfig(storage="sq8", ef_search=200, build_threads=1))
    other = Point("ivf-pq4", {"num_probes": 3}, 1.0, 1.0, 1.0, 1.0).config(base)
    assert (other.kind, other.ivf_pq4.num_probes, other.hnsw) == ("ivf-pq4", 3, base.hnsw)


def tried(vectors, queries, *, trials):
    told = []
    points = try_settings(
        vectors[:400],
        queries[:20],
        base=IndexConfig(hnsw=HnswConfig(build_threads=1)),
        least_recall=0.9,
        trials=trials,
        k=10,
        seed=0,
        advance=lambda done, note="", **_: told.append(done),
    )
    return points, told


def test_every_combination_is_built_once_where_there_are_trials_enough(vectors, queries):
    points, told = tried(vectors, queries, trials=50)
    of_kind = Counter(one.kind for one in points)
    assert of_kind == {"hnsw": 12 * 8, "ivf-pq4": 3 * 18, "hnsw-pq4": 2 * 5}
    assert len(told) == 12 + 3 + 2
    assert len({(one.kind, *sorted(one.settings.items())) for one in points}) == len(points)
    assert all(one.queries_s > 0 and 0 < one.ann_recall <= 1 for one in points)
    hnsw = [one for one in points if one.kind == "hnsw" and one.settings["num_links"] == 16]
    by_storage = {one.settings["storage"]: one.bytes_per_product for one in hnsw}
    assert by_storage["fp16"] - by_storage["sq8"] == pytest.approx(vectors.shape[1])
    chosen = choose_point(points, least_recall=0.9)
    assert chosen.queries_s == max(one.queries_s for one in points if one.ann_recall >= 0.9)


def test_fewer_trials_build_fewer_indexes(vectors, queries):
    points, told = tried(vectors, queries, trials=2)
    assert len(told) == 2
    assert Counter(one.kind for one in points) == {"hnsw": 8, "ivf-pq4": 18}


def test_every_kind_is_first_tried_as_it_is_set(vectors, queries):
    points, _ = tried(vectors, queries, trials=3)
    base = IndexConfig()
    for kind in ("hnsw", "ivf-pq4", "hnsw-pq4"):
        built = getattr(base, IndexConfig.section(kind))
        [as_set] = [one for one in points if one.kind == kind and one.config(base) == replace(base, kind=kind)]
        assert {**asdict(built), **as_set.settings} == asdict(built)


def test_speed_is_measured_on_what_is_searched(vectors, queries):
    assert queries_per_second(ExactIndex.build(vectors), queries, k=10) > 0


def test_a_graph_is_searched_otherwise_without_being_built_again(vectors, queries):
    index = HnswIndex.build(vectors, num_links=4, ef_construction=20, ef_search=10, build_threads=1)
    wider = index.with_search(ef_search=400)
    assert (index.parameters["ef_search"], wider.parameters["ef_search"]) == (10, 400)
    exact = ExactIndex.build(vectors).search(queries, k=5).product_index
    hits = [np.mean(one.search(queries, k=5).product_index == exact) for one in (index, wider)]
    assert hits[1] > hits[0]
    with pytest.raises(ConfigError, match="ef_search=0 is too small"):
        index.with_search(ef_search=0)
