import numpy as np
import pyarrow.compute as pc
import pytest

from aisle.simulation.clock import LOG_START
from aisle.simulation.log_tables import LogTables
from aisle.simulation.shoppers import ShopperKind
from aisle.tables import EVENTS, IMPRESSIONS, SEARCHES, USERS, validate


@pytest.fixture(scope="module")
def tables(market, visits):
    return LogTables(market, visits.identity)


@pytest.fixture(scope="module")
def searches(tables, block):
    return tables.searches(block.searches, first=10)


@pytest.fixture(scope="module")
def impressions(tables, block):
    return tables.impressions(block.searches, first=10)


@pytest.fixture(scope="module")
def events(tables, block):
    return tables.events(block.strolls)


def test_all_tables_keep_the_contract(tables, searches, impressions, events):
    for table, schema in ((searches, SEARCHES), (impressions, IMPRESSIONS), (events, EVENTS), (tables.users(), USERS)):
        checked = validate(table, schema)
        assert checked.table.num_rows == table.num_rows > 0
        assert not checked.report.problems
        for column in table.schema:
            known = schema.column(column.name)
            assert known is None or known.type == column.type, column.name


def test_searches_are_numbered_and_split_by_time(market, searches):
    assert searches.column("search_id")[0].as_py() == "q00000010"
    day = (searches.column("searched_at").to_numpy() - LOG_START).astype("timedelta64[D]").astype(int)
    split = np.array(searches.column("split").to_pylist())
    assert set(split[day < 24]) == {"train"}
    assert set(split[(day >= 24) & (day < 27)]) == {"validation"}
    assert set(split[day >= 27]) == {"test"}
    assert market.days == 30


def test_actors_are_known_as_their_visit_shows_them(visits, block, searches):
    identity = visits.identity[block.searches.visit]
    for name, kinds in (
        ("user_id", {ShopperKind.SIGNED_IN}),
        ("client_id", {ShopperKind.SIGNED_IN, ShopperKind.RETURNING}),
    ):
        known = ~searches.column(name).is_null().to_numpy()
        assert np.array_equal(known, np.isin(identity, list(kinds)))
    assert searches.column("session_id").null_count == 0
    assert len(pc.unique(searches.column("session_id"))) == len(np.unique(block.searches.visit))


def test_impressions_list_every_place(market, block, impressions):
    pages = block.searches.pages
    assert impressions.num_rows == pages.product_index.size
    assert impressions.column("position").to_pylist()[:24] == list(range(1, 25))
    ids = market.products.column("product_id").to_pylist()
    assert impressions.column("product_id").to_pylist()[:24] == [ids[p] for p in pages.product_index[0]]
    slots = np.array(impressions.column("slot").to_pylist()).reshape(pages.is_random.shape)
    assert np.array_equal(slots == "random", pages.is_random)
    clicked = impressions.column("clicked_at").is_valid().to_numpy().reshape(pages.is_random.shape)
    assert np.array_equal(clicked, block.searches.actions.clicked)


def test_events_are_the_strolls_in_order(block, events):
    actions = events.column("action").to_pylist()
    strolls = block.strolls
    never = np.iinfo(np.int64).max
    assert actions.count("view") == len(strolls.visit)
    assert actions.count("cart") == (strolls.carted_at != never).sum()
    assert actions.count("order") == (strolls.ordered_at != never).sum()
    of_first = events.filter(pc.equal(events.column("actor_id"), events.column("actor_id")[0])).column("at").to_numpy()
    assert (np.diff(of_first) >= np.timedelta64(0)).all()


def test_users_are_those_with_an_account(market, tables):
    users = tables.users()
    assert users.num_rows == (market.shoppers.kind == ShopperKind.SIGNED_IN).sum()
    assert pc.all(pc.starts_with(users.column("user_id"), "u")).as_py()
    assert users.column("location").null_count == 0
