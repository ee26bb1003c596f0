import pytest

from aisle.mining import BANDS, MiningConfig

CONFIG = MiningConfig(num_slices=2, threads=1, memory_gb=0.5)


@pytest.fixture
def summary(mine_tables):
    """40 searches, two a minute apart; every other has an order of product a, in the last ones of product b."""
    searches = [
        {"search_id": f"q{n}", "query": "old" if n < 38 else "new", "searched_at": n * 100, "user_id": f"u{n}"}
        for n in range(40)
    ]
    page = [
        {
            "search_id": f"q{n}",
            "product_id": "a" if n < 36 else "b",
            "position": 1,
            "clicked_at": n * 100 + 1 if n % 2 else None,
            "ordered_at": n * 100 + 2 if n % 4 == 1 else None,
        }
        for n in range(40)
    ]
    return mine_tables(CONFIG, products=["a", "b", "c"], searches=searches, impressions=page).summary


def test_figures_of_the_splits(summary):
    train, test = summary["splits"]["train"], summary["splits"]["test"]
    assert (train["searches"], train["clicked"], train["ordered"]) == (33, 8, 8)
    assert train["searches_with_positive"] == 16
    assert train["positives_per_search"] == pytest.approx(16 / 33)
    assert (test["searches"], test["new_query_share"], test["cold_positive_share"]) == (4, 0.5, 1.0)
    assert summary["products"] == {"rows": 3, "cold": 2}


def test_bands_add_up_to_their_split(summary):
    for figures in summary["splits"].values():
        assert set(figures["bands"]) <= set(BANDS)
        for name in ("searches", "clicked", "ordered", "skipped", "searches_with_positive"):
            assert sum(part[name] for part in figures["bands"].values()) == figures[name]


def test_sections_add_up_to_their_rows(summary):
    for name in ("searches", "impressions", "action_times", "events"):
        assert sum(summary[name].values()) == 2 * summary[name]["rows"]
    assert summary["windows"]["slices"] == 2
