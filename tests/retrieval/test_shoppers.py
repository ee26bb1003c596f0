import numpy as np
import pyarrow as pa
import pytest

from aisle.core.ids import IdMap
from aisle.core.shopper import Shopper
from aisle.mining import MinedLog
from aisle.retrieval import ActorLog, Shoppers
from aisle.tables import MINED_SCHEMAS, write_parquet

SECOND = 1_000_000
EVENTS = [  # actor, query, product, stage, second
    (0, 0, 5, 1, 10),
    (0, -1, 6, 2, 20),
    (0, 1, 7, 4, 20),
    (2, 1, 8, 1, 15),
]


@pytest.fixture
def log(tmp_path):
    """Three actors, of whom the second did nothing."""

    def write(name, **columns):
        schema = pa.schema([(column.name, column.type) for column in MINED_SCHEMAS[name].columns])
        write_parquet(pa.table(columns, schema=schema), tmp_path / f"{name}.parquet")

    actor, query, product, stage, second = (list(column) for column in zip(*EVENTS, strict=True))
    at = [one * SECOND for one in second]
    write("histories", actor_index=actor, query_index=query, product_index=product, stage=stage, at=at)
    write("actors", actor_index=[0, 1, 2], actor_id=["ann", "ben", "c7"])
    write("queries", query_index=[0, 1], text=["lamp", "sofa"], searches=[1, 1], band=["head", "head"])
    return MinedLog(tmp_path)


def events_before(log, seconds, actors, **options):
    searched = np.array(seconds, np.int64) * SECOND
    events = ActorLog(log, **options)
    return events.past(*events.spans(actors, searched), searched)


def test_events_strictly_before_a_search_are_its_past(log):
    past = events_before(log, [20, 21, 10, 99], ["ann", "ann", "ann", "c7"])
    assert past.offsets.tolist() == [0, 1, 4, 4, 5]
    assert past.queries == ["lamp", "lamp", None, "sofa", "sofa"]
    assert past.product_index.tolist() == [5, 5, 6, 7, 8]
    assert past.stage.tolist() == [1, 1, 2, 4, 1]
    assert past.age_s.tolist() == [10, 11, 1, 1, 84]


@pytest.mark.parametrize("actor", ["ben", "nobody", None])
def test_who_did_nothing_or_is_not_known_has_no_past(log, actor):
    assert events_before(log, [99], [actor]).offsets.tolist() == [0, 0]
    assert ActorLog(log).knows([actor]).tolist() == [actor == "ben"]


def test_only_the_last_events_are_kept(log):
    assert events_before(log, [99, 99], ["ann", "c7"], most=2).product_index.tolist() == [6, 7, 8]


@pytest.mark.parametrize("seed", range(3))
def test_spans_are_those_of_a_search_one_by_one(log, seed):
    rng = np.random.default_rng(seed)
    seconds, actors = rng.integers(0, 30, 50), rng.choice(["ann", "ben", "c7", "x"], 50).tolist()
    begin, end = ActorLog(log).spans(actors, seconds * SECOND)
    number = {"ann": 0, "ben": 1, "c7": 2, "x": 9}
    for row, (second, actor) in enumerate(zip(seconds, actors, strict=True)):
        expected = [place for place, event in enumerate(EVENTS) if event[0] == number[actor] and event[4] < second]
        assert list(range(begin[row], end[row])) == expected


def test_a_live_search_knows_its_past_and_its_place(log):
    shoppers = Shoppers(
        ActorLog(log), reads_places=True, users=IdMap(["ann"]), places=pa.array(["de"]), now_us=20 * SECOND
    )
    asked = shoppers.search("lamp", Shopper(user_id="ann", client_id="c7"))
    assert (asked.locations, asked.past.product_index.tolist()) == (["de"], [5])
    elsewhere = shoppers.search("lamp", Shopper(client_id="c7", location="fr"))
    assert (elsewhere.locations, elsewhere.past.product_index.tolist()) == (["fr"], [8])


@pytest.mark.parametrize("shopper", [Shopper(), Shopper("nobody"), Shopper(client_id="ben")])
def test_of_whom_nothing_is_known_is_nobody(log, shopper):
    known = Shoppers(
        ActorLog(log), reads_places=True, users=IdMap(["ann"]), places=pa.array(["de"]), now_us=99 * SECOND
    )
    for shoppers in (known, Shoppers()):
        assert not shoppers.search("lamp", shopper).is_personal


def test_an_experiment_knows_the_log_up_to_its_own_beginning(log):
    shoppers = Shoppers(ActorLog(log))
    searched = np.array([15, 50]) * SECOND
    nothing = [None, None]
    asked = {"actor_ids": ["ann", "ann"], "user_ids": nothing, "locations": nothing, "searched_us": searched}
    batch = shoppers.batch(["lamp", "lamp"], known_us=20 * SECOND, **asked)
    assert batch.past.offsets.tolist() == [0, 1, 2]
    assert batch.past.age_s.tolist() == [5, 40]
    assert shoppers.batch(["lamp", "lamp"], **asked).past.offsets.tolist() == [0, 1, 4]


def test_what_the_model_does_not_read_is_left_out(log):
    asker = Shopper("ann", location="de")
    assert not Shoppers(now_us=99 * SECOND).search("lamp", asker).is_personal
    assert Shoppers(reads_places=True).search("lamp", asker).locations == ["de"]
    assert Shoppers(ActorLog(log), now_us=99 * SECOND).search("lamp", asker).locations is None


def test_named_actors_whom_the_log_does_not_know_are_told():
    assert Shoppers().is_unknown(["ann", None]).tolist() == [False, False]


def test_named_actors_whom_the_log_knows_are_not(log):
    assert Shoppers(ActorLog(log)).is_unknown(["ann", "stranger", None]).tolist() == [False, True, False]
