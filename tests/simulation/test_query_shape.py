import os
from pathlib import Path

import pytest

from aisle.core.errors import SourceError
from aisle.simulation.query_shape import MOST_WORDS, query_shape, read_real_queries
from aisle.simulation.realism import load_published

ESCI = Path(os.environ.get("AISLE_TEST_DATA", "absent")) / "esci"


def test_a_shape_by_hand():
    shape = query_shape(["Sofa", "sofa ", "red sofa", "13 inch laptop", None])
    assert shape.num_queries == 3  # "sofa" twice after normalisation
    assert shape.words[:4] == (0.3333, 0.3333, 0.3333, 0.0)
    assert shape.mean_words == 2.0
    assert shape.character_quantiles[2] == 8.0
    assert shape.distinct_words == 5
    assert shape.words_seen_once == 0.8
    assert shape.with_digit == 0.333


def test_very_long_queries_share_the_last_place():
    shape = query_shape([" ".join(["word"] * 40), "!!!"])
    assert len(shape.words) == MOST_WORDS
    assert shape.words[-1] == shape.words[0] == 0.5


def test_the_number_of_words_does_not_grow_with_the_number_of_queries_beyond_the_sample():
    shape = query_shape([f"word{number}" for number in range(8_000)])
    assert shape.num_queries == 8_000
    assert shape.distinct_words == 5_000


def test_no_queries_are_refused():
    with pytest.raises(SourceError, match=r"There must be queries\. Received: queries=0"):
        query_shape([])


def test_files_of_real_queries(tmp_path):
    (tmp_path / "queries_train.csv").write_text('query_string\nred sofa\n"lamp, large"\n')
    (tmp_path / "queries_test.csv").write_text("query_string\n123\n")
    assert sorted(read_real_queries(tmp_path).to_pylist()) == ["123", "lamp, large", "red sofa"]


def test_missing_files_are_named(tmp_path):
    with pytest.raises(SourceError, match=r"must be in queries_train\.csv and queries_test\.csv.*folder="):
        read_real_queries(tmp_path)


@pytest.mark.data
@pytest.mark.skipif(not ESCI.is_dir(), reason="AISLE_TEST_DATA names no folder with esci")
def test_the_packaged_figures_are_those_of_the_real_queries():
    shape, packaged = query_shape(read_real_queries(ESCI)), load_published().esci
    assert {name: getattr(packaged, name) for name in vars(shape)} == vars(shape)
