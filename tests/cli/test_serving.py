import json
import re
import socket
from pathlib import Path

import pytest

from aisle.cli import serving
from aisle.core.errors import ConfigError
from aisle.pipelines.recipe import DEMO_RECIPE
from aisle.pipelines.serving import ServiceOptions
from aisle.store import StoreConfig


def test_search_as_json(aisle_json, built_shop, simulated):
    answer = aisle_json("search", "red lamp", "--workspace", built_shop.path, "--k", 3, "--mode", "semantic")
    assert (answer["query"], answer["mode"]) == ("red lamp", "semantic")
    assert [hit["rank"] for hit in answer["hits"]] == [1, 2, 3]
    titles = dict(zip(*simulated.products.select(["product_id", "title"]).to_pydict().values(), strict=True))
    assert all(hit["title"] == titles[hit["product_id"]] for hit in answer["hits"])
    assert aisle_json("search", "red lamp", "--workspace", built_shop.path)["mode"] == "hybrid"


def test_search_as_a_table_shows_brackets_as_they_are(aisle, built_shop):
    result = aisle("search", "lamp [red]", "--workspace", built_shop.path, "--k", 2)
    assert result.code == 0
    assert result.out.startswith("lamp [red] (hybrid)")
    assert len(re.findall(r"^│ +\d", result.out, flags=re.MULTILINE)) == 2


def test_nothing_found_is_an_empty_list(aisle_json, aisle, built_shop):
    arguments = ["search", "qqqq", "--workspace", built_shop.path, "--mode", "lexical"]
    assert aisle_json(*arguments)["hits"] == []
    assert aisle(*arguments).code == 0


def test_serve_hands_its_options_on(aisle, built_shop, monkeypatch):
    asked = {}

    def serve(workspace, options, *, on_ready, warn, **more):
        asked.update(path=workspace.path, options=options, **more)
        on_ready("http://127.0.0.1:1/")

    monkeypatch.setattr("aisle.pipelines.serving.serve", serve)
    result = aisle("serve", "--workspace", built_shop.path, "--port", 8080)
    common = {"path": built_shop.path, "options": ServiceOptions(port=8080)}
    assert asked == {**common, "store": "qdrant-edge", "store_config": StoreConfig()}
    assert (result.out, result.err) == ("", "The search page is at http://127.0.0.1:1/ (Ctrl-C ends it).\n")


def test_serve_hands_on_the_settings_of_a_cluster(aisle, built_shop, monkeypatch):
    asked = {}
    monkeypatch.setattr("aisle.pipelines.serving.serve", lambda *_, **more: asked.update(more))
    settings = ("--set", "store.url=http://q:6333", "--set", "store.ef_search=256")
    assert aisle("serve", "--workspace", built_shop.path, "--store", "qdrant-cluster", *settings).code == 0
    assert asked["store"] == "qdrant-cluster"
    assert asked["store_config"] == StoreConfig(url="http://q:6333", ef_search=256)


def test_serve_hands_on_who_may_ask(aisle, built_shop, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "aisle.pipelines.serving.serve", lambda _, options, **more: asked.append((options, more["store"]))
    )
    arguments = ["--host", "0.0.0.0", "--api-key-file", "key", "--read-key-file", "read", "--log-queries"]
    arguments += ["--allowed-host", "a.example", "--allowed-host", "b.example", "--store", "faiss"]
    assert aisle("serve", "--workspace", built_shop.path, *arguments).code == 0
    options = ServiceOptions("0.0.0.0", 8000, Path("key"), Path("read"), ("a.example", "b.example"), True)
    assert asked == [(options, "faiss")]


def test_serve_on_other_than_loopback_is_refused(aisle, built_shop):
    result = aisle("serve", "--workspace", built_shop.path, "--host", "0.0.0.0", "--port", 0)
    assert result.code == 2
    assert "must be a loopback address" in result.err


@pytest.mark.slow
def test_demo_prints_one_object_and_says_the_rest_elsewhere(aisle, tiny, set_options, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = aisle("demo", "--products", 120, "--no-serve", "--json", *set_options(tiny()))
    assert result.code == 0, result.err
    assert set(json.loads(result.out)["systems"]) == {"lexical", "semantic", "hybrid"}
    assert result.err.startswith("1/4  import: generating a catalogue of 120 products")
    assert (tmp_path / "demo-workspace" / "generated" / "workspace.json").exists()
    served = []
    monkeypatch.setattr(
        "aisle.pipelines.serving.serve", lambda workspace, _options, **_more: served.append(workspace.path.name)
    )
    again = aisle("demo", "--products", 120, "--port", 0, *set_options(tiny()))
    assert again.err.count("unchanged") == 2
    assert "Try: aisle search" in again.err
    assert served == ["generated"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [([], DEMO_RECIPE), (["--recipe", "own.toml"], Path("own.toml")), (["--data", "icecat"], None)],
)
def test_demo_has_a_recipe_of_its_own_for_the_generated_shop(aisle, monkeypatch, arguments, expected):
    def load(path, _overrides):
        raise ConfigError("stop here", received={"path": path})

    monkeypatch.setattr("aisle.pipelines.recipe.load_recipe", load)
    assert f"path={expected!r}" in aisle("demo", "--port", 0, *arguments).err


def test_demo_tells_of_a_taken_port_before_it_begins(aisle, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = aisle("demo", "--workspace", tmp_path / "demo", "--port", port)
    assert (result.code, result.out) == (2, "")
    assert f"The port must be free. Received: host='127.0.0.1', port={port}" in result.err
    assert not (tmp_path / "demo").exists()


def test_the_address_is_told(capsys):
    serving._say_ready("http://127.0.0.1:5/")
    assert "http://127.0.0.1:5/" in capsys.readouterr().err


def test_serve_as_json_prints_the_address_as_one_object(aisle, built_shop, monkeypatch):
    def serve(workspace, options, *, on_ready, **_more):
        on_ready("http://127.0.0.1:1/")

    monkeypatch.setattr("aisle.pipelines.serving.serve", serve)
    result = aisle("serve", "--workspace", built_shop.path, "--json")
    assert (json.loads(result.out), result.err) == ({"address": "http://127.0.0.1:1/"}, "")


def test_search_for_a_shopper_with_explanations(aisle_json, aisle, learnt_shop):
    command = ["search", "new thing", "-w", learnt_shop.path, "--mode", "semantic", "--k", 3]
    nobody, stranger, known, abroad = (
        aisle_json(*command, *who, "--explain")["hits"]
        for who in ([], ["--user", "stranger"], ["--user", "u3"], ["--location", "fr"])
    )
    assert nobody == stranger
    assert nobody != known
    assert nobody != abroad
    for hit in (*nobody, *known, *abroad):
        assert sum(hit["explanation"]["parts"].values()) == pytest.approx(hit["score"], abs=1e-5)
    assert "explanation" not in aisle_json(*command)["hits"][0]
    table = aisle(*command, "--explain", "--client", "c0").out
    assert all(name in table for name in ("term", "graph", "context"))
    lexical = aisle("search", "thing", "-w", learnt_shop.path, "--mode", "lexical", "--explain")
    assert "A lexical score has no parts to be told apart." in lexical.err
    hybrid = ["search", "thing", "-w", learnt_shop.path, "--mode", "hybrid"]
    assert "normalised per query" in aisle(*hybrid, "--explain").err
    assert "normalised per query" not in aisle(*hybrid).err


def test_what_words_were_searched_as_is_told(aisle, aisle_json, built_shop, simulated):
    title = simulated.products.column("title")[0].as_py().lower()
    word = max((one for one in title.split() if one.isalpha()), key=len)
    slip = word[:2] + word[3:] if len(word) > 4 else word + word[-1]
    answer = aisle_json("search", slip, "--workspace", built_shop.path)
    assert answer["corrected"] is not None
    assert answer["corrected"] != slip
    assert f"Searched as: {answer['corrected']}" in aisle("search", slip, "--workspace", built_shop.path).err
    semantic = aisle_json("search", slip, "--workspace", built_shop.path, "--mode", "semantic")
    assert semantic["corrected"] == answer["corrected"]
    right = aisle_json("search", answer["corrected"], "--workspace", built_shop.path, "--mode", "semantic")
    assert [hit["product_id"] for hit in semantic["hits"]] == [hit["product_id"] for hit in right["hits"]]
