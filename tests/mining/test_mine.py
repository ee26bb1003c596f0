"""What each rule of mining makes of a log that a person can check by eye."""

import dataclasses

import pytest

from aisle.core.errors import TableError
from aisle.mining import AssistConfig, GraphConfig, MiningConfig
from aisle.tables import SPLITS

DAY = 1440
CONFIG = MiningConfig(num_slices=2, threads=1, memory_gb=0.5)
PRODUCTS = ["a", "b", "c", "d", "e"]


def search(name, minutes, query="lamp", user="u", **more):
    return {"search_id": name, "query": query, "searched_at": minutes, "user_id": user, **more}


def shown(name, products, **actions):
    """A page: `a={"clicked_at": 3}` says what became of product a."""
    return [
        {"search_id": name, "product_id": product, "position": place, **actions.get(product, {})}
        for place, product in enumerate(products, start=1)
    ]


def outcomes(done, name):
    """Outcomes of a search: product → its row."""
    for split in SPLITS:
        for row in done.rows("examples", split):
            if row["search_id"] == name:
                found = done.rows("outcomes", split)[row["outcome_start"] : row["outcome_end"]]
                return {PRODUCTS[outcome["product_index"]]: outcome for outcome in found}
    raise AssertionError(name)


def example(done, name):
    return next(row for split in SPLITS for row in done.rows("examples", split) if row["search_id"] == name)


def past(done, name):
    row = example(done, name)
    history = done.rows("histories")[row["history_start"] : row["history_end"]]
    return [(PRODUCTS[event["product_index"]], event["stage"]) for event in history]


def test_stages_grades_and_order_of_a_page(mine_framed):
    at = 10 * DAY
    page = shown(
        "q",
        "abcd",
        a={"clicked_at": at + 1, "ordered_at": at + 9},
        b={"clicked_at": at + 2, "favorited_at": at + 3},
        c={"carted_at": at + 3},
    )
    done = mine_framed([search("q", at)], page)
    found = outcomes(done, "q")
    assert {product: (row["stage"], row["grade"], row["position"]) for product, row in found.items()} == {
        "a": (4, 4.0, 1),
        "b": (2, 3.0, 2),
        "c": (3, 3.0, 3),
        "d": (0, 1.0, 4),
    }
    assert (found["a"]["reached_at"] - example(done, "q")["searched_at"]).total_seconds() == 9 * 60
    assert found["d"]["reached_at"] is None
    assert {row["weight"] for row in found.values()} == {1.0}


def test_labels_are_as_of_the_end_of_their_window(mine_framed):
    before, after = 19 * DAY, 21 * DAY
    late = {"a": {"clicked_at": before + 1, "ordered_at": after}}
    test = {"a": {"clicked_at": 31 * DAY + 1, "ordered_at": 33 * DAY}}
    searches = [search("train", before), search("test", 31 * DAY)]
    done = mine_framed(searches, shown("train", "a", **late) + shown("test", "a", **test))
    assert outcomes(done, "train")["a"]["stage"] == 1
    assert outcomes(done, "test")["a"]["stage"] == 4
    # The order is history all the same, of searches after it.
    assert past(done, "test") == [("a", 1), ("a", 4)]


def test_validation_is_labelled_as_of_the_test_window(mine_framed):
    page = {"a": {"clicked_at": 25 * DAY + 1, "ordered_at": 31 * DAY}}
    done = mine_framed([search("q", 25 * DAY, split="validation")], shown("q", "a", **page))
    assert outcomes(done, "q")["a"]["stage"] == 1


def test_skipped_products_are_those_around_the_last_action(mine_framed):
    config = dataclasses.replace(CONFIG, skips_above=1, skips_below=1)
    clicked = {"c": {"clicked_at": 10 * DAY + 1}}
    done = mine_framed(
        [search("q", 10 * DAY), search("r", 10 * DAY)], shown("q", "abcde", **clicked) + shown("r", "ab"), config
    )
    assert list(outcomes(done, "q")) == ["b", "c", "d"]
    assert outcomes(done, "r") == {}
    assert done.summary["impressions"] == {
        "rows": 7, "clicked": 1, "skipped": 2, "not_seen": 2, "without_action": 2, "carted": 0, "favorited": 0,
        "ordered": 0, "shown_again": 0, "unknown_product": 0, "unknown_search": 0,
    }  # fmt: skip


def test_an_action_far_above_the_last_one_is_kept(mine_framed):
    config = dataclasses.replace(CONFIG, skips_above=0, skips_below=0)
    at = 10 * DAY
    done = mine_framed([search("q", at)], shown("q", "abc", a={"clicked_at": at}, c={"clicked_at": at + 1}), config)
    assert list(outcomes(done, "q")) == ["a", "c"]


def test_a_product_shown_twice_counts_once_at_its_best_place(mine_framed):
    at = 10 * DAY
    page = [*shown("q", "aba"), *shown("r", "a")]
    page[2] |= {"clicked_at": at + 1, "propensity": 0.25}
    page[0] |= {"propensity": 0.5}
    done = mine_framed([search("q", at)], page)
    row = outcomes(done, "q")["a"]
    assert (row["position"], row["stage"], row["propensity"]) == (1, 1, 0.5)
    assert done.summary["impressions"]["shown_again"] == 1
    assert done.summary["impressions"]["unknown_search"] == 1


REWORDED = [search("q", 10 * DAY, "couch", session_id="s"), search("r", 10 * DAY + 5, "sofa", session_id="s")]
BOUGHT = {"a": {"clicked_at": 10 * DAY + 6, "ordered_at": 10 * DAY + 20}}


def test_a_later_order_of_the_session_assists_the_search_that_ended_without(mine_framed):
    done = mine_framed(REWORDED, [*shown("q", "bc"), *shown("r", "ab", **BOUGHT)])
    row = outcomes(done, "q")["a"]
    assert (row["stage"], row["grade"], row["weight"], row["assisted"], row["position"]) == (4, 4.0, 0.5, True, None)
    assert not outcomes(done, "r")["a"]["assisted"]
    assert done.summary["splits"]["train"]["assisted"] == 1
    # In the graph too, at its discount; and it is no event of the actor's.
    texts = [row["text"] for row in done.rows("queries")]
    weights = {texts[row["query_index"]]: row["weight"] for row in done.rows("neighbours_query", 2)}
    assert weights["couch"] == pytest.approx(weights["sofa"] / 2, rel=1e-4)
    assert len(done.rows("histories")) == 2


@pytest.mark.parametrize(
    ("searches", "page", "assist"),
    [
        ([REWORDED[0] | {"session_id": "t"}, REWORDED[1]], [], {}),
        (REWORDED, [], {"enabled": False}),
        (REWORDED, [], {"window_minutes": 5.0}),
        (REWORDED, shown("q", "b", b={"clicked_at": 10 * DAY + 3}), {}),
        ([row | {"searched_at": 10 * DAY} for row in REWORDED], [], {}),
        ([row | {"split": "test", "searched_at": row["searched_at"] + 25 * DAY} for row in REWORDED], [], {}),
        ([row | {"session_id": None, "user_id": None} for row in REWORDED], [], {}),
    ],
    ids=["other session", "off", "outside the window", "own click before", "same time", "test", "nobody"],
)
def test_what_assists_nothing(mine_framed, searches, page, assist):
    moved = searches[1]["searched_at"] - REWORDED[1]["searched_at"]
    bought = {"a": {name: minutes + moved for name, minutes in BOUGHT["a"].items()}}
    config = dataclasses.replace(CONFIG, assist=AssistConfig(**assist))
    done = mine_framed(searches, [*page, *shown("r", "a", **bought)], config)
    assert not any(row["assisted"] for row in outcomes(done, "q").values())


def test_a_later_click_of_its_own_does_not_take_an_assist_back(mine_framed):
    # As of the second snapshot the search had none; what comes after it must not change the graph.
    own = shown("q", "b", b={"clicked_at": 10 * DAY + 30})
    done = mine_framed(REWORDED, [*own, *shown("r", "a", **BOUGHT)])
    assert outcomes(done, "q")["a"]["assisted"]
    assert not outcomes(done, "q")["b"]["assisted"]


def test_without_session_ids_a_pause_makes_a_session(mine_framed):
    near = [row | {"session_id": None} for row in REWORDED]
    bought = shown("r", "a", **BOUGHT)
    assert outcomes(mine_framed(near, bought), "q")["a"]["assisted"]
    config = dataclasses.replace(CONFIG, session_gap_minutes=4.0)
    assert outcomes(mine_framed(near, bought, config), "q") == {}


def test_an_assist_reaches_a_stated_number_of_searches_back_and_has_a_stated_number_of_actions(mine_framed):
    searches = [search(f"q{number}", 10 * DAY + number, f"word {number}", session_id="s") for number in range(5)]
    page = shown("q4", "abc", **{name: {"clicked_at": 10 * DAY + 4 + i} for i, name in enumerate("abc", start=1)})
    config = dataclasses.replace(CONFIG, assist=AssistConfig(max_searches=2, max_actions=2))
    done = mine_framed(searches, page, config)
    assert [sorted(outcomes(done, f"q{number}")) for number in range(4)] == [[], [], ["a", "b"], ["a", "b"]]


def test_history_is_strictly_before_and_starts_at_most_history_size_events_back(mine_framed):
    at = 10 * DAY
    searches = [search("q", at), search("r", at + 3), search("s", at + 4), search("other", at + 5, user="v")]
    page = shown("q", "abc", a={"clicked_at": at + 1}, b={"clicked_at": at + 2}, c={"clicked_at": at + 4})
    done = mine_framed(searches, page)
    assert [past(done, name) for name in ("q", "r", "s", "other")] == [
        [],
        [("a", 1), ("b", 1)],
        [("a", 1), ("b", 1)],
        [],
    ]
    short = mine_framed(searches, page, dataclasses.replace(CONFIG, history_size=1))
    assert past(short, "r") == [("b", 1)]
    assert len(short.rows("histories")) == 3


def test_events_outside_a_list_are_history_and_nothing_else(mine_framed):
    at = 10 * DAY
    events = [
        {"actor_id": "u", "at": at - 2, "action": "Purchase ", "product_id": "a", "query": "Rug"},
        {"actor_id": "u", "at": at - 1, "action": "view", "product_id": "b", "search_id": "q"},
        {"actor_id": "u", "at": at + 2, "action": "view", "product_id": "c", "search_id": "q"},
        {"actor_id": "u", "at": at - 3, "action": "scroll", "product_id": "a"},
        {"actor_id": "u", "at": at - 3, "action": "view"},
        {"actor_id": "u", "at": at - 3, "action": "view", "product_id": "gone"},
    ]
    searches = [search("q", at), search("r", at + 3)]
    done = mine_framed(searches, shown("r", "a", a={"ordered_at": at + 4}), events=events)
    assert past(done, "q") == [("a", 4), ("b", 1)]
    assert past(done, "r") == [("a", 4), ("b", 1), ("c", 1)]
    assert done.summary["events"] == {
        "rows": 6, "in_history": 3, "other_action": 1, "without_product": 1, "unknown_product": 1, "duplicate": 0,
    }  # fmt: skip
    texts = [row["text"] for row in done.rows("queries")]
    of_events = [row["query_index"] for row in done.rows("histories")][:3]
    # The view that names a search which came after it has no query.
    assert [texts[index] if index >= 0 else None for index in of_events] == ["rug", None, "lamp"]
    assert outcomes(done, "r")["a"]["repeated"]
    assert done.summary["splits"]["train"]["repeat_orders"] == 1
    assert {row["query_index"] for row in done.rows("neighbours_query", 2)} == {texts.index("lamp")}
    assert sum(row["orders"] for row in done.rows("statistics", 2)) == 1


def test_events_that_were_logged_twice_happened_once(mine_framed):
    view = {"actor_id": "u", "at": DAY, "action": "view", "product_id": "a"}
    done = mine_framed([search("q", 10 * DAY)], shown("q", "a"), events=[view, view, view | {"product_id": "b"}])
    assert past(done, "q") == [("a", 1), ("b", 1)]
    assert (done.summary["events"]["in_history"], done.summary["events"]["duplicate"]) == (2, 1)


def test_actors_are_users_else_clients_else_sessions(mine_framed):
    at = 10 * DAY
    searches = [
        search("q", at, client_id="c", session_id="s"),
        search("r", at, user=None, client_id="c", session_id="s"),
        search("s", at, user=None, session_id="s"),
        search("t", at, user=None),
    ]
    done = mine_framed(searches, shown("q", "a"))
    kinds = {name: example(done, name)["actor_kind"] for name in "qrst"}
    assert kinds == {"q": "user", "r": "client", "s": "session", "t": "none"}
    ids = [row["actor_id"] for row in done.rows("actors")]
    assert [example(done, name)["actor_index"] for name in "qrst"] == [*map(ids.index, "ucs"), -1]


def test_location_is_the_searchs_else_the_users(mine_framed):
    searches = [search("q", 10 * DAY, location="fr"), search("r", 10 * DAY)]
    done = mine_framed(searches, shown("q", "a"), users=[{"user_id": "u", "location": "de"}])
    assert [example(done, name)["location"] for name in "qr"] == ["fr", "de"]


def test_edges_weigh_stages_and_decay(mine_framed):
    half_life = 10.0
    graph = GraphConfig(half_life_days=half_life, clicked_weight=1.0, ordered_weight=4.0)
    page = shown("q", "ab", a={"clicked_at": 10 * DAY}, b={"clicked_at": 10 * DAY, "ordered_at": 15 * DAY})
    done = mine_framed([search("q", 10 * DAY)], page, dataclasses.replace(CONFIG, graph=graph))
    weights = [(PRODUCTS[row["product_index"]], row["weight"]) for row in done.rows("neighbours_query", 2)]
    assert weights == [("b", pytest.approx(0.5 + 4 * 0.5**0.5, abs=1e-4)), ("a", pytest.approx(0.5))]
    assert done.rows("neighbours_query", 1) == []
    for_ever = GraphConfig(half_life_days=None)
    done = mine_framed([search("q", 10 * DAY)], page, dataclasses.replace(CONFIG, graph=for_ever))
    assert [row["weight"] for row in done.rows("neighbours_query", 2)] == [5.0, 1.0]


def test_the_heaviest_neighbours_are_kept_both_ways(mine_framed):
    at = 10 * DAY
    searches = [search(f"q{number}", at, f"word {number}") for number in range(4)]
    page = [row for number in range(4) for row in shown(f"q{number}", "abcd"[: number + 1])]
    page = [row | {"clicked_at": at + 1} for row in page]
    page[-1] |= {"ordered_at": at + 2}
    config = dataclasses.replace(CONFIG, graph=GraphConfig(num_neighbours=2))
    done = mine_framed(searches, page, config)
    texts = [row["text"] for row in done.rows("queries")]
    of_query, of_product = {}, {}
    for row in done.rows("neighbours_query", 2):
        of_query.setdefault(texts[row["query_index"]], []).append(PRODUCTS[row["product_index"]])
    for row in done.rows("neighbours_product", 2):
        of_product.setdefault(PRODUCTS[row["product_index"]], []).append(texts[row["query_index"]])
    assert of_query == {"word 0": ["a"], "word 1": ["a", "b"], "word 2": ["a", "b"], "word 3": ["d", "a"]}
    assert of_product["a"] == ["word 0", "word 1"]
    assert of_product["d"] == ["word 3"]


def test_statistics_count_what_was_known_before_the_snapshot(mine_framed):
    config = dataclasses.replace(CONFIG, prior_impressions=1.0)
    searches = [search("q", 4 * DAY), search("r", 10 * DAY)]
    page = [
        *shown("q", "ab", a={"clicked_at": 4 * DAY + 1, "ordered_at": 6 * DAY}),
        *shown("r", "a", a={"carted_at": 10 * DAY}),
    ]
    done = mine_framed(searches, page, config)
    names = ("impressions", "clicks", "favorites", "carts", "orders")
    first, last = ({PRODUCTS[row["product_index"]]: row for row in done.rows("statistics", n)} for n in (1, 2))
    assert [first["a"][name] for name in names] == [1, 1, 0, 0, 0]
    assert [last["a"][name] for name in names] == [2, 1, 0, 1, 1]
    assert last["a"]["click_rate"] == pytest.approx((1 + 1 / 3) / 3)
    assert last["b"]["order_rate"] == pytest.approx((0 + 1 / 3) / 2)


def test_sampling_probability_is_the_share_of_the_slices_positives(mine_framed):
    searches = [*REWORDED, search("z", 11 * DAY)]
    done = mine_framed(searches, [*shown("r", "a", **BOUGHT), *shown("z", "b", b={"clicked_at": 11 * DAY})])
    rows = {PRODUCTS[row["product_index"]]: row for row in done.rows("sampling", 1)}
    assert (rows["a"]["probability"], rows["b"]["probability"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (rows["a"]["own_probability"], rows["b"]["own_probability"]) == (0.5, 0.5)


def test_bands_are_thirds_of_the_searches_before(mine_framed):
    words = ["head"] * 4 + ["torso"] * 2 + ["torso 2"] * 2 + ["t1", "t2"]
    searches = [search(f"q{number}", 6 * DAY + number, word) for number, word in enumerate(words)]
    held_out = [search(f"t-{word}", 25 * DAY, word) for word in (*dict.fromkeys(words), "new", "  HEAD ")]
    done = mine_framed([*searches, *held_out], shown("q0", "a"))
    bands = {word: example(done, f"t-{word}")["band"] for word in (*dict.fromkeys(words), "new", "  HEAD ")}
    # 12 training searches with the two of the frame: 4, then 2 + 2 (and the frame's 2), then the rest.
    assert bands["head"] == bands["  HEAD "] == "head"
    assert bands["torso"] == "torso"
    assert (bands["t1"], bands["t2"], bands["new"]) == ("tail", "tail", "unseen")
    # As of the snapshot of their slice, none of them had been searched.
    assert example(done, "q0")["band"] == "unseen"
    assert done.summary["splits"]["test"]["new_query_share"] == pytest.approx(1 / 8)


def test_clocks_that_differ_and_clocks_that_are_broken(mine_framed):
    at = 10 * DAY
    page = shown(
        "q",
        "abcd",
        a={"clicked_at": at - 2},
        b={"clicked_at": at - 6},
        c={"clicked_at": at + 31 * DAY},
        d={"clicked_at": at + 1},
    )
    done = mine_framed([search("q", at)], page)
    found = outcomes(done, "q")
    assert {product: row["stage"] for product, row in found.items()} == {"a": 1, "b": 0, "c": 0, "d": 1}
    assert found["a"]["reached_at"] == example(done, "q")["searched_at"]
    assert done.summary["action_times"] == {
        "rows": 4, "used": 1, "used_at_their_search": 1, "long_before_their_search": 1, "long_after_their_search": 1,
    }  # fmt: skip


def test_a_log_without_times_of_actions_dates_stages_by_their_search(mine_framed):
    page = [
        row | {"stage": stage} for row, stage in zip(shown("q", "abc"), ("shown", "clicked", "ordered"), strict=True)
    ]
    done = mine_framed([search("q", 10 * DAY), search("r", 10 * DAY), search("s", 10 * DAY + 1)], page)
    assert {product: row["stage"] for product, row in outcomes(done, "q").items()} == {"a": 0, "b": 1, "c": 4}
    assert past(done, "r") == []
    assert past(done, "s") == [("b", 1), ("c", 4)]


def test_a_product_that_left_the_catalogue_is_counted_and_left_out(mine_framed):
    done = mine_framed([search("q", 10 * DAY)], shown("q", "ax", x={"clicked_at": 10 * DAY}), products=["a"])
    assert done.summary["impressions"]["unknown_product"] == 1
    assert outcomes(done, "q") == {}


def test_a_folder_with_the_signs_of_a_pattern_in_its_name(mine_framed, tmp_path):
    done = mine_framed([search("q", 10 * DAY)], shown("q", "ab"), folder=tmp_path / "split=test [1]*? %20")
    assert done.summary["impressions"]["rows"] == 2


def test_odd_queries_are_kept_and_long_ones_cut(mine_framed):
    odd = ["x" * 10_000, "x" * 600, "a\x00b", "👗", "فستان أحمر", "Ｒed  Dress", "™"]
    done = mine_framed([search(f"q{n}", 10 * DAY, word) for n, word in enumerate(odd)], shown("q0", "a"))
    texts = {row["text"] for row in done.rows("queries")}
    assert texts == {"frame", "x" * 512, "a\x00b", "👗", "فستان أحمر", "red dress", ""}
    assert done.summary["queries"] == {"distinct": 7, "searches_with_cut_query": 2}


def test_a_log_without_orders_or_any_action(mine_framed):
    done = mine_framed([search("q", 10 * DAY)], shown("q", "ab"))
    assert done.rows("histories") == []
    assert done.rows("neighbours_product", 2) == []
    assert done.rows("sampling", 1) == []
    assert done.summary["impressions"]["without_action"] == 2
    assert done.summary["splits"]["train"]["positives_per_search"] == 0


def test_training_searches_after_held_out_ones_are_not_used_and_counted(mine_framed):
    late = [search("q", 25 * DAY, split="train"), search("r", 10 * DAY)]
    done = mine_framed(late, shown("q", "a", a={"clicked_at": 25 * DAY}))
    assert done.summary["searches"] == {"rows": 6, "train": 3, "validation": 1, "test": 1, "unused": 1}
    assert "q" not in {row["search_id"] for split in SPLITS for row in done.rows("examples", split)}


def test_an_empty_log_and_a_log_of_a_single_time_are_refused(mine_tables):
    with pytest.raises(TableError, match="must hold searches"):
        mine_tables(CONFIG, products=PRODUCTS, searches=[], impressions=[])
    searches = [search("q", 0), search("r", 0)]
    with pytest.raises(TableError, match="more than one time"):
        mine_tables(CONFIG, products=PRODUCTS, searches=searches, impressions=[])


def test_one_user_with_very_many_events(mine_framed):
    count = 30_000
    events = [{"actor_id": "u", "at": number / 100, "action": "view", "product_id": "a"} for number in range(count)]
    done = mine_framed([search("q", 10 * DAY)], shown("q", "a"), events=events)
    row = example(done, "q")
    assert (row["history_start"], row["history_end"]) == (count - 100, count)
    assert done.summary["histories"] == {"rows": count, "longest": count}


def test_exposures_are_told_where_the_log_names_them(mine_framed):
    page = shown("q", "abc", a={"clicked_at": 10 * DAY, "slot": "ranked"}, b={"slot": "ranked"}, c={"slot": "random"})
    done = mine_framed([search("q", 10 * DAY)], page)
    assert done.summary["exposures"]["ranked"] == {
        "impression_share": pytest.approx(2 / 3), "click_share": 1.0, "order_share": 0.0,
    }  # fmt: skip
    assert "exposures" not in mine_framed([search("q", 10 * DAY)], shown("q", "a")).summary
