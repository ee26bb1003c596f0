import numpy as np
import pyarrow as pa
import pytest

from aisle.core.errors import WorkspaceError
from aisle.retrieval import HybridGate, TitleTerms
from aisle.retrieval.gate import lead_of

TITLES = pa.array(["Oak chair", "Pine chairs", "chair chair chair", None, "Lamp"])


@pytest.fixture
def titles():
    return TitleTerms.build(TITLES)


def test_a_term_counts_once_per_title(titles):
    assert titles.rarest(["chair", "oak chairs", "lamp", "sofa", "oak sofa", "", " "]).tolist() == [3, 1, 1, 0, 0, 0, 0]
    assert titles.rarest([]).tolist() == []
    assert TitleTerms.build(TITLES.slice(0, 0)).rarest(["chair"]).tolist() == [0]


def test_the_lead_is_the_10th_score_over_the_100th_by_the_first(ranking_of):
    falling = [(product, 200.0 - product) for product in range(150)]
    few = [(product, 4.0) for product in range(20)]
    one = [(0, 3.0)]
    lead = lead_of(ranking_of([falling, few, one, []], k=150))
    assert lead.tolist() == pytest.approx([90 / 200, 1.0, 0.0, 0.0])


def test_the_gate_opens_for_known_words_that_tell_products_apart(titles, ranking_of):
    apart = [(product, 4.0) for product in range(20)]
    alike = [(product, 4.0) for product in range(150)]
    lexical = ranking_of([apart, alike, apart, apart[:5]], k=150)
    texts = ["chair", "chair", "oak", "chair"]
    assert HybridGate(titles, least_titles=2, least_lead=0.5).opens(texts, lexical, k=10).tolist() == [
        True,
        False,  # all alike
        False,  # in one title only
        False,  # five products do not fill ten places
    ]
    assert HybridGate(titles, least_titles=0, least_lead=0.0).opens(texts, lexical, k=5).all()


def test_saved_and_loaded_it_is_the_same(titles, ranking_of, tmp_path):
    HybridGate(titles, least_titles=2, least_lead=0.25).save(tmp_path / "gate")
    loaded = HybridGate.load(tmp_path / "gate")
    assert (loaded.least_titles, loaded.least_lead) == (2, 0.25)
    lexical = ranking_of([[(product, 4.0) for product in range(20)]] * 2, k=100)
    assert loaded.opens(["chairs", "lamp"], lexical, k=10).tolist() == [True, False]


def test_a_damaged_folder_is_refused(titles, tmp_path):
    HybridGate(titles, least_titles=2, least_lead=0.25).save(tmp_path)
    (tmp_path / "titles.parquet").unlink()
    with pytest.raises(WorkspaceError, match="missing"):
        HybridGate.load(tmp_path)


def test_counts_do_not_depend_on_repetition_in_queries(titles):
    assert np.array_equal(titles.rarest(["oak oak chair"]), titles.rarest(["chair oak"]))
