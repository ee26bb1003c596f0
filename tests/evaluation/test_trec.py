import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, R, nDCG

from aisle.core.errors import SourceError, UsageError
from aisle.core.ids import IdMap
from aisle.core.ranking import Ranking
from aisle.evaluation import (
    evaluate_rankings,
    query_ids,
    read_qrels,
    read_queries,
    read_run,
    write_qrels,
    write_queries,
    write_run,
)
from aisle.measures import Qrels

IDS = IdMap(["a", "b", "c", "d"])


def rank(products, scores) -> Ranking:
    return Ranking(np.array(products, dtype=np.int64), np.array(scores, dtype=np.float32))


def judge(query, product, grade, num_queries=2) -> Qrels:
    return Qrels.from_triples(
        query_index=np.array(query),
        product_index=np.array(product),
        grade=np.array(grade, dtype=np.float64),
        num_queries=num_queries,
    )


def test_a_run_as_written(tmp_path):
    write_run(tmp_path / "run", rank([[2, 0], [1, -1]], [[1.5, 0.1], [-2, -np.inf]]), ids=IDS, tag="lexical")
    assert (tmp_path / "run").read_text() == ("q1 Q0 c 1 1.5 lexical\nq1 Q0 a 2 0.1 lexical\nq2 Q0 b 1 -2 lexical\n")


def test_judgments_as_written(tmp_path):
    assert write_qrels(tmp_path / "qrels", judge([1, 0], [3, 0], [2, -1]), ids=IDS) == 1
    assert (tmp_path / "qrels").read_text() == "q1 0 a -1\nq2 0 d 2\n"


def test_fractional_grades_are_written_in_hundredths_and_the_scale_is_told(tmp_path):
    qrels = judge([0, 0, 1], [0, 1, 2], [1.0, 0.29, 0.01])
    assert write_qrels(tmp_path / "qrels", qrels, ids=IDS) == 100
    assert (tmp_path / "qrels").read_text() == "q1 0 a 100\nq1 0 b 29\nq2 0 c 1\n"
    read = read_qrels(tmp_path / "qrels", ids=IDS, num_queries=2, scale=100)
    assert read.grade.tolist() == [1.0, 0.29, 0.01]
    assert read.product_index.tolist() == [0, 1, 2]


def test_equal_scores_are_lowered_just_enough_to_keep_their_order(tmp_path):
    write_run(tmp_path / "run", rank([[0, 1, 2, 3]], [[1, 1, 1, 0.5]]), ids=IDS, tag="t")
    scores = np.array([line.split()[4] for line in (tmp_path / "run").read_text().splitlines()], np.float32)
    assert (np.diff(scores) < 0).all()
    assert scores[[0, 3]].tolist() == [1.0, 0.5]
    np.testing.assert_allclose(scores[:3], 1.0, atol=1e-6)


@settings(deadline=None)
@given(
    scores=st.lists(st.floats(-100, 100, width=32) | st.sampled_from([0.0, -0.0, 1.0, 1e-45]), min_size=1, max_size=4)
)
def test_a_run_comes_back_in_the_same_order(tmp_path_factory, scores):
    path = tmp_path_factory.mktemp("trec") / "run"
    ordered = np.array(sorted(scores, reverse=True), dtype=np.float32)
    products = np.arange(4)[::-1][: len(scores)]
    write_run(path, rank([products], [ordered]), ids=IDS, tag="t")
    back = read_run(path, ids=IDS, num_queries=1)
    assert back.product_index.tolist() == [products.tolist()]
    assert (np.diff(back.score[0]) < 0).all()
    np.testing.assert_allclose(back.score[0], ordered, rtol=1e-5, atol=1e-40)
    if len(set(ordered.tolist())) == len(scores):
        np.testing.assert_array_equal(back.score[0], ordered)


def test_queries_without_results_and_more_queries_than_a_block_keep_their_rows(tmp_path):
    products = np.full((2500, 2), -1, dtype=np.int64)
    products[::7, 0] = 3
    products[::14, 1] = 1
    ranking = rank(products, np.where(products >= 0, [2.0, 1.0], -np.inf))
    write_run(tmp_path / "run", ranking, ids=IDS, tag="t")
    back = read_run(tmp_path / "run", ids=IDS, num_queries=2500)
    np.testing.assert_array_equal(back.product_index, products)
    np.testing.assert_array_equal(back.score, ranking.score)


def test_an_empty_run_is_an_empty_file(tmp_path):
    write_run(tmp_path / "run", rank([[-1]], [[-np.inf]]), ids=IDS, tag="t")
    assert (tmp_path / "run").read_text() == ""
    assert read_run(tmp_path / "run", ids=IDS, num_queries=1).product_index.shape == (1, 0)


def test_a_foreign_run_is_sorted_by_score_and_equal_scores_by_rank(tmp_path):
    lines = ["q1\tQ0\ta\t3\t0.5\tx", "q1 Q0  b 2 0.5 x ", "", "q1 Q0 c 9 0.75 x"]
    (tmp_path / "run").write_text("\n".join(lines))
    assert read_run(tmp_path / "run", ids=IDS, num_queries=1).product_index.tolist() == [[2, 1, 0]]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_other_tools_find_the_same_numbers_in_the_files(tmp_path):
    rng = np.random.default_rng(0)
    num_queries, num_products = 20, 60
    ids = IdMap([f"sku/{number:03d}-é" for number in range(num_products)])
    products = np.stack([rng.permutation(num_products)[:30] for _ in range(num_queries)])
    # Few distinct scores: a tool that breaks ties by id would see another order.
    scores = -np.sort(rng.integers(0, 4, products.shape), axis=1)
    query, product = np.nonzero(rng.random((num_queries, num_products)) < 0.2)
    qrels = judge(query, product, rng.integers(0, 4, len(query)) / 4, num_queries)
    ranking = rank(products, scores)
    write_run(tmp_path / "run", ranking, ids=ids, tag="t")
    scale = write_qrels(tmp_path / "qrels", qrels, ids=ids)
    assert scale == 100
    rel = round(0.5 * scale)
    theirs = ir_measures.calc_aggregate(
        [R(rel=rel) @ 10, RR(rel=rel), nDCG @ 10],
        list(ir_measures.read_trec_qrels(str(tmp_path / "qrels"))),
        list(ir_measures.read_trec_run(str(tmp_path / "run"))),
    )
    ours = evaluate_rankings({"t": ranking}, qrels, measures=["R@10", "MRR", "nDCG@10"], min_grade=0.5)
    assert ours.is_counted.all()
    estimates = ours.headline.systems["t"]
    assert estimates["R@10"].value == pytest.approx(theirs[R(rel=rel) @ 10], abs=1e-9)
    assert estimates["MRR"].value == pytest.approx(theirs[RR(rel=rel)], abs=1e-9)
    assert estimates["nDCG@10"].value == pytest.approx(theirs[nDCG @ 10], abs=1e-9)


def test_queries_round_trip_with_white_space_tamed(tmp_path):
    texts = ["red  dress", "a\tb\nc", "“ü” 裙", ""]
    write_queries(tmp_path / "queries.tsv", texts)
    assert read_queries(tmp_path / "queries.tsv") == ["red dress", "a b c", "“ü” 裙", ""]
    assert query_ids(2) == ["q1", "q2"]


@pytest.mark.parametrize("bad", ["two words", "tab\tbed", "line\nbreak", "nbsp\u00a0", "\u2003em", "", "v\vt"])
def test_ids_with_white_space_are_refused(tmp_path, bad):
    ids = IdMap(["fine", bad])
    message = "non-empty and without white space"
    with pytest.raises(UsageError, match=message):
        write_run(tmp_path / "run", rank([[1]], [[1.0]]), ids=ids, tag="t")
    with pytest.raises(UsageError, match=message):
        write_qrels(tmp_path / "qrels", judge([0], [1], [1], 1), ids=ids)
    with pytest.raises(UsageError, match=message):
        write_run(tmp_path / "run", rank([[0]], [[1.0]]), ids=ids, tag=bad)
    assert list(tmp_path.iterdir()) == []


def test_an_id_with_white_space_that_is_not_written_does_no_harm(tmp_path):
    write_run(tmp_path / "run", rank([[0]], [[1.0]]), ids=IdMap(["fine", "not fine"]), tag="t")
    assert (tmp_path / "run").exists()


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(tmp_path, score):
    with pytest.raises(UsageError, match="finite"):
        write_run(tmp_path / "run", rank([[0]], [[score]]), ids=IDS, tag="t")


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path, monkeypatch):
    write_queries(tmp_path / "queries.tsv", ["old"])

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(UsageError, match=r"writable.*No space left"):
        write_queries(tmp_path / "queries.tsv", ["new"])
    assert read_queries(tmp_path / "queries.tsv") == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["queries.tsv"]


def test_a_path_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="must be writable"):
        write_queries(tmp_path / "file" / "queries.tsv", ["x"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("q1 Q0 a 1 0.5", r"6 columns\. Received: .*line='q1 Q0 a 1 0\.5', wrong_lines=1"),
        ("q1 Q0 a 1 0.5 t x", "6 columns"),
        ("q9 Q0 a 1 0.5 t", r"Every query id of the file must be known.*'q9'"),
        ("q1 Q0 zzz 1 0.5 t", r"Every product_id of the file must be known.*'zzz'"),
        ("q1 Q0 a first 0.5 t", "must be finite numbers"),
        ("q1 Q0 a 1 nan t", "must be finite numbers"),
    ],
)
def test_malformed_runs_are_refused(tmp_path, content, message):
    (tmp_path / "run").write_text(content)
    with pytest.raises(SourceError, match=message):
        read_run(tmp_path / "run", ids=IDS, num_queries=1)


def test_missing_and_foreign_files_are_refused(tmp_path):
    with pytest.raises(SourceError, match="readable UTF-8"):
        read_qrels(tmp_path / "none", ids=IDS, num_queries=1)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(SourceError, match="readable UTF-8"):
        read_queries(tmp_path / "binary")
    (tmp_path / "queries.tsv").write_text("q2\tlamp\n")
    with pytest.raises(SourceError, match="q1, q2"):
        read_queries(tmp_path / "queries.tsv")
