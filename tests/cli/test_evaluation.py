import json


def test_json_has_exactly_the_measures(aisle_json, built_shop):
    values = aisle_json("evaluate", "--workspace", built_shop.path, "--min-grade", 3)
    assert values["queries"] == 30
    assert set(values["systems"]) == {"lexical", "semantic", "hybrid"}
    for measures in values["systems"].values():
        assert set(measures) == {"R@10", "R@100", "nDCG@10", "MRR"}
        assert all(set(estimate) == {"value", "low", "high"} for estimate in measures.values())


def test_the_table_and_what_a_reader_must_know(aisle, built_shop, tmp_path):
    result = aisle(
        "evaluate", "--workspace", built_shop.path, "--systems", " hybrid , lexical", "--run", tmp_path / "out.trec"
    )
    assert result.code == 0
    assert "30 queries with a product of grade ≥ 1" in result.out
    assert "semantic" not in result.out
    assert "Hybrid: normalised, semantic weight" in result.err
    assert f"Wrote {tmp_path / 'out.lexical.trec'}" in result.err
    assert sorted(path.name for path in tmp_path.glob("out*")) == [
        "out.data.json",
        "out.lexical.data.json",
        "out.lexical.trec",
        "out.qrels",
        "out.queries.tsv",
        "out.trec",
    ]
    assert (tmp_path / "out.trec").read_text().split()[5] == "hybrid"


def test_missed_products_are_mentioned(aisle, shop, import_shop, simulated, aisle_json):
    import_shop(shop.path, products=simulated.products.slice(20), judgments=None)
    aisle_json("index", "--workspace", shop.path)
    result = aisle("evaluate", "--workspace", shop.path, "--systems", "lexical")
    assert "judged products are not in the catalogue; they count as missed." in result.err


def test_the_seed_moves_intervals_alone(aisle, built_shop):
    values = [
        json.loads(aisle("evaluate", "-w", built_shop.path, "--systems", "lexical", "--seed", seed, "--json").out)
        for seed in (1, 2)
    ]
    first, second = (one["systems"]["lexical"]["R@10"] for one in values)
    assert first["value"] == second["value"]
    assert first != second


def test_slices_of_a_log_are_chosen_and_its_exposures_told(aisle, aisle_json, learnt_shop):
    command = ("evaluate", "-w", learnt_shop.path, "--systems", "lexical", "--slices", "returning, signed-in")
    values = aisle_json(*command)
    assert set(values["by"]) == {"new actor", "returning actor", "signed in", "anonymous"}
    assert values["shown_by"] == {"ranked": 1.0}
    told = aisle(*command).err
    assert "These orders by the part of the logging policy that had shown the product: ranked 100.0%." in told
