import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import ConfigError
from aisle.encoders import (
    ContextEncoderConfig,
    GraphEncoderConfig,
    HistoryEncoderConfig,
    TermEncoderConfig,
    TextEncoderConfig,
)
from aisle.towers import LOG_CHANNELS, TowerConfig


def towers(dim, *, term=1.0, text=1.0, **settings):
    return TowerConfig(
        embedding_dim=dim,
        term=TermEncoderConfig(enabled=term is not None, share=term or 1.0),
        text=TextEncoderConfig(enabled=text is not None, share=text or 1.0),
        **settings,
    )


def test_the_defaults_survive_a_dictionary():
    assert config_from_dict(TowerConfig, config_to_dict(TowerConfig())) == TowerConfig()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (towers(256), {"term": 128, "text": 128}),
        (towers(5), {"term": 3, "text": 2}),
        (towers(100, term=3.0, text=1.0), {"term": 75, "text": 25}),
        (towers(2, term=0.001), {"term": 1, "text": 1}),
        (towers(64, text=None), {"term": 64}),
        (towers(64, term=None), {"text": 64}),
    ],
)
def test_dimensions_are_dealt_out_by_share(config, expected):
    assert config.part_dims() == expected


@given(st.integers(2, 2000), st.floats(0.2, 5), st.floats(0.2, 5))
def test_dimensions_sum_to_those_that_are_served_and_stay_near_the_share(dim, term, text):
    try:
        dims = towers(dim, term=term, text=text).part_dims()
    except ConfigError:
        assert dim * text / (term + text) < 1
        return
    assert sum(dims.values()) == dim
    assert min(dims.values()) >= 1
    assert abs(dims["text"] - dim * text / (term + text)) <= 1


def test_a_part_that_gets_no_dimension_is_refused():
    with pytest.raises(
        ConfigError, match=r"must get a dimension.*embedding_dim=2, term\.share=1\.0, text\.share=0\.01\. Raise"
    ):
        towers(2, text=0.01).part_dims()


def test_one_part_must_be_on():
    with pytest.raises(ConfigError, match=r"At least one part must be on\. Set term\.enabled or text\.enabled"):
        towers(64, term=None, text=None).part_dims()


@pytest.mark.parametrize(("name", "value"), [("embedding_dim", 1), ("fusion", "late")])
def test_a_value_out_of_bounds_is_refused(name, value):
    with pytest.raises(ConfigError, match=f"{name}: Input should be"):
        config_from_dict(TowerConfig, {name: value})


def test_channels_are_on_where_there_is_data():
    everything = towers(64).with_data(LOG_CHANNELS)
    assert everything.part_dims() == {"term": 27, "text": 25, "graph": 5, "context": 7}
    assert everything.history.enabled
    graph = towers(64).with_data(["graph"])
    assert (graph.graph.enabled, graph.context.enabled, graph.history.enabled) == (True, False, False)
    assert graph.part_dims() == {"term": 30, "text": 29, "graph": 5}
    assert towers(64).with_data([]).part_dims() == towers(64).part_dims() == {"term": 32, "text": 32}


def test_a_channel_that_is_switched_off_gives_its_dimensions_to_the_others():
    off = towers(64, graph=GraphEncoderConfig(enabled=False), history=HistoryEncoderConfig(enabled=False))
    settled = off.with_data(LOG_CHANNELS)
    assert settled.part_dims() == {"term": 29, "text": 27, "context": 8}
    assert settled.history.enabled is False


def test_a_channel_that_is_switched_on_without_data_is_refused():
    on = towers(64, graph=GraphEncoderConfig(enabled=True), context=ContextEncoderConfig(enabled=True))
    with pytest.raises(ConfigError, match=r"must have data in the workspace\. Received: graph\.enabled=True\. Import"):
        on.with_data(["context"])


def test_graph_and_context_alone_are_no_towers():
    config = towers(64, term=None, text=None).with_data(LOG_CHANNELS)
    with pytest.raises(ConfigError, match="At least one part must be on"):
        config.part_dims()


def test_a_transformer_may_leave_queries_alone_where_terms_read_them():
    text = TextEncoderConfig(enabled=True, share=1.0, queries=False)
    both = TowerConfig(embedding_dim=10, text=text)
    assert both.part_dims() == {"term": 5, "text": 5}
    assert both.query_words == ("term",)
    assert towers(10).query_words == ("term", "text")
    assert towers(10, text=None).query_words == ("term",)
    alone = TowerConfig(embedding_dim=10, term=TermEncoderConfig(enabled=False), text=text)
    with pytest.raises(
        ConfigError, match=r"read the words of queries\. Received: term.enabled=False, text.queries=False"
    ):
        alone.part_dims()
