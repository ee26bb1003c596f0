from types import SimpleNamespace

import pytest
import qdrant_edge
from qdrant_client import models

from aisle.store import NO_FILTER, ProductFilter, StoreConfig
from aisle.store.cluster import ClusterEngine
from aisle.store.edge import EdgeEngine
from aisle.store.payload import PayloadSchema, path_keys
from aisle.store.qdrant_filter import FilterTypes, is_compound, qdrant_filter, search_parameters

TYPES = FilterTypes(SimpleNamespace, SimpleNamespace, SimpleNamespace, SimpleNamespace)
EDGE_TYPES, CLUSTER_TYPES = EdgeEngine.filter_types, ClusterEngine.filter_types


def conditions(where):
    made = qdrant_filter(where, PayloadSchema(("colour",)), TYPES)
    return {one.key: vars(one) for one in made.must}, made.must_not


def test_no_condition_is_no_filter():
    assert qdrant_filter(NO_FILTER, PayloadSchema(), TYPES) is None


def test_every_condition_must_be_met_and_blocked_products_must_not():
    where = ProductFilter(
        category=("A", "B"),
        brands=('x" OR 1',),
        price_max=9.0,
        in_stock=False,
        attributes={"colour": ("red",)},
        blocked=("p",),
    )
    must, must_not = conditions(where)
    assert must["find.category"]["match"].any == [path_keys(("A", "B"))[-1]]
    assert must["product.brand"]["match"].any == ['x" OR 1']
    assert (must["product.price"]["range"].gte, must["product.price"]["range"].lte) == (None, 9.0)
    assert must["find.in_stock"]["match"].any == ["false"]
    assert must["find.a0"]["match"].any == ["red"]
    assert len(must) == 5
    assert [(one.key, one.match.any) for one in must_not] == [("product.product_id", ["p"])]


def test_an_attribute_without_values_asks_for_nothing():
    must, must_not = conditions(ProductFilter(attributes={"colour": ()}))
    assert (must, must_not) == ({}, [])


@pytest.mark.parametrize("types", [TYPES, EDGE_TYPES, CLUSTER_TYPES])
def test_several_conditions_or_values_are_compound(types):
    schema = PayloadSchema()
    single = [
        {"brands": ("a",)},
        {"price_min": 1.0, "price_max": 2.0},
        {"category": ("A", "B")},
        {"blocked": ("p", "q")},
    ]
    several = [{"brands": ("a", "b")}, {"brands": ("a",), "in_stock": True}, {"price_min": 1.0, "locations": ("DE",)}]
    assert [is_compound(qdrant_filter(ProductFilter(**one), schema, types)) for one in single] == [False] * 4
    assert [is_compound(qdrant_filter(ProductFilter(**one), schema, types)) for one in several] == [True] * 3
    assert not is_compound(None)


@pytest.mark.parametrize(("package", "types"), [(qdrant_edge, EDGE_TYPES), (models, CLUSTER_TYPES)])
def test_a_compound_filter_looks_two_links_far_with_half_the_candidates(package, types):
    wheres = [ProductFilter(price_max=5.0), ProductFilter(brands=("a", "b"))]
    made = [qdrant_filter(where, PayloadSchema(), types) for where in wheres]
    usual, wide = (search_parameters(package, one, k=24, config=StoreConfig(ef_search=128)) for one in made)
    assert (usual.hnsw_ef, usual.acorn) == (128, None)
    assert (wide.hnsw_ef, wide.acorn.enable) == (64, True)


@pytest.mark.parametrize("package", [qdrant_edge, models])
def test_a_short_list_is_scored_again_twice_over_and_a_long_one_with_a_few_more(package):
    config = StoreConfig(oversampling=2.0)
    times = [search_parameters(package, None, k=k, config=config).quantization.oversampling for k in (1, 50, 200)]
    assert times == [2.0, 2.0, 1.25]
    assert search_parameters(package, None, k=24, config=StoreConfig(quantisation="none")).quantization is None
