"""What goes wrong is told in one line (what must hold, what was received, what to do) and leaves nothing half done."""

import gzip
import json
import os
import re
import socket
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.workspace import Manifest, Workspace

GOOD = "product_id,title\na,Red shoe\nb,Blue hat\n"
NOTICE = r"(?:Other settings than [^\n]+\n[^\n]+\n)?"  # of a second training with other settings
GRAMMAR = re.compile(NOTICE + r"Error: [^\n]+\. Received: [^\n]+\. [A-Z`][^\n]+\n")


@pytest.fixture
def refused(aisle):
    """Run a command that must be refused by one line that holds a text; return the exit code."""

    def run(*arguments, text):
        result = aisle(*arguments)
        assert result.out == ""
        assert GRAMMAR.fullmatch(result.err), result.err
        assert re.search(text, result.err), result.err
        return result.code

    return run


def contents(path):
    """Hash of every artefact that is there."""
    workspace = Workspace.open(path)
    return {name: workspace.manifest(name).content for name in workspace.names()}


FILES = {
    "missing column": ("a.csv", b"product_id,price\na,1\n", r"must have the columns product_id, title.*--map"),
    "misspelt column": ("a.csv", b"product_id,titel\na,x\n", r"Did you mean --map title=titel\?"),
    "no usable row": ("a.csv", b"product_id,title\na,\n,x\n", r"must have at least one usable row"),
    "header alone": ("a.csv", b"product_id,title\n", r"must hold at least one row"),
    "empty": ("a.csv", b"", r"empty|not be empty|must"),
    "column twice": ("a.csv", b"product_id,title,title\na,x,y\n", r"title"),
    "csv not UTF-8": ("a.csv", "product_id,title\na,Bügel\n".encode("latin-1"), r"UTF-8"),
    "jsonl not UTF-8": ("a.jsonl", '{"product_id": "a", "title": "Bügel"}\n'.encode("latin-1"), r"UTF-8"),
    "open quote": ("a.csv", b'product_id,title\na,"x\nb,y\n', r"quote"),
    "no JSON": ("a.jsonl", b"product_id,title\na,x\n", r"must hold at least one row|JSON"),
    "no Parquet": ("a.parquet", b"PAR1 but not really", r"must be a whole Parquet file"),
    "damaged gzip": ("a.jsonl.gz", gzip.compress(b'{"product_id": "a"}' * 99)[:-9], r"must be readable and whole"),
    "unknown format": ("a.xlsx", b"x", r"name must end in \.csv"),
}


@pytest.mark.parametrize(("name", "content", "text"), FILES.values(), ids=FILES)
def test_files_that_cannot_be_used(refused, tmp_path, name, content, text):
    (tmp_path / name).write_bytes(content)
    code = refused("import", "--workspace", tmp_path / "shop", "--products", tmp_path / name, text=text)
    assert code == 1
    assert not (tmp_path / "shop").exists()


def test_files_that_are_not_there(refused, tmp_path):
    shop = ["import", "--workspace", tmp_path / "shop", "--products"]
    assert refused(*shop, tmp_path / "none.csv", text="The file must exist") == 1
    assert refused(*shop, tmp_path, text="The path must be a file") == 1


def test_a_truncated_parquet_file_leaves_what_was_imported(refused, shop, simulated, tmp_path):
    before = contents(shop.path)
    path = tmp_path / "products.parquet"
    pq.write_table(simulated.products, path)
    path.write_bytes(path.read_bytes()[:-1000])
    assert refused("import", "--workspace", shop.path, "--products", path, text="whole Parquet file.*cut short") == 1
    assert contents(shop.path) == before


def test_rows_that_cannot_be_used_are_counted(aisle_json, tmp_path):
    rows = ["a,Red shoe,10", "a,Red again,11", "b,,12", "c,Blue hat,cheap", ",No id,3", "d,Too,many,fields"]
    (tmp_path / "p.csv").write_text("\n".join(["product_id,title,price", *rows]) + "\n")
    judged = ["shoe,a,3", "shoe,zzz,3", "hat,c,good", "hat,c,1,extra", "shoe,a,1"]
    (tmp_path / "j.csv").write_text("\n".join(["query,product_id,grade", *judged]) + "\n")
    report = aisle_json(
        "import", "-w", tmp_path / "s", "--products", tmp_path / "p.csv", "--judgments", tmp_path / "j.csv"
    )
    counts = {
        name: (table["usable"], table["quarantined"], table["rejected_lines"])
        for name, table in report["tables"].items()
    }
    assert counts == {"products": (2, 3, 1), "judgments": (1, 3, 1)}
    actions = [(problem["column"], problem["action"]) for problem in report["tables"]["products"]["problems"]]
    assert ("price", "nulled") in actions
    assert len(report["quarantine"]) == 4


def test_judgments_of_other_products_alone_are_refused(refused, tmp_path):
    (tmp_path / "p.csv").write_text(GOOD)
    (tmp_path / "j.csv").write_text("query,product_id,grade\nshoe,zzz,3\n")
    files = ["--products", tmp_path / "p.csv", "--judgments", tmp_path / "j.csv"]
    assert refused("import", "-w", tmp_path / "s", *files, text="must be a product of the catalogue") == 1
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--map", "title"], "not of the form name=source"),
        (["--map", "title=nmae"], "nmae"),
        (["--map", "price=title/"], "price"),
        (["--map", "none.toml"], "mapping file must be readable"),
        (["--map", "judgments.grade=x"], "must name a table that is imported"),
        (["--grades", "bought=3"], "'bought' is no stage"),
        (["--grades", "ordered=3"], "--grades must come with judgments"),
    ],
)
def test_options_of_import_that_do_not_hold(refused, tmp_path, options, text):
    (tmp_path / "p.csv").write_text(GOOD)
    refused("import", "-w", tmp_path / "shop", "--products", tmp_path / "p.csv", *options, text=text)
    assert not (tmp_path / "shop" / "products").exists()


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_file_whose_name_is_not_utf8(refused, tmp_path, kind):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9." + kind.encode())
    os.close(os.open(path, os.O_CREAT))
    assert refused("import", "-w", tmp_path / "shop", "--products", path, text="path must be UTF-8.*Rename it") == 1


@pytest.mark.parametrize("command", [["train"], ["index"], ["evaluate"], ["search", "shoe"], ["serve"]])
def test_workspaces_that_are_none(refused, command, tmp_path):
    assert refused(*command, "-w", tmp_path / "none", text="must exist.*aisle import") == 1
    (tmp_path / "file").write_text("x")
    assert refused(*command, "-w", tmp_path / "file", text="The workspace must") == 1


def test_a_workspace_is_not_made_of_anything(refused, tmp_path):
    (tmp_path / "p.csv").write_text(GOOD)
    products = ["--products", tmp_path / "p.csv"]
    assert refused("import", "-w", tmp_path / "p.csv", *products, text="must be a folder") == 1
    assert refused("import", "-w", tmp_path / "p.csv" / "x", *products, text="must be writable") == 1
    assert refused("import", "-w", tmp_path, *products, text="must be an empty or a new folder") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv"]


def test_a_workspace_of_another_version(refused, shop):
    (shop.path / "workspace.json").write_text(json.dumps({"format_version": 99}))
    assert refused("search", "shoe", "-w", shop.path, text="format version 1.*99") == 1


def test_steps_in_the_wrong_order(refused, import_shop, tmp_path):
    Workspace.open(tmp_path / "new", create=True)
    assert refused("train", "-w", tmp_path / "new", text="must hold 'products'.*aisle import") == 1
    (tmp_path / "j.csv").write_text("query,product_id,grade\nshoe,a,3\n")
    judged = ["import", "-w", tmp_path / "new", "--judgments", tmp_path / "j.csv"]
    assert refused(*judged, text="Products must be imported before judgments") == 2
    imported = import_shop(tmp_path / "imported").path
    assert refused("index", "-w", imported, text="must hold 'model'.*aisle train") == 1
    for command in (["evaluate"], ["search", "shoe"], ["serve", "--port", "0"]):
        assert refused(*command, "-w", imported, text="must hold 'index'.*aisle index") == 1
    assert Workspace.open(tmp_path / "new").names() == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["shoe", "--k", "0"], "k must .*k=0"),
        (["shoe", "--k", "1001"], "k must .*k=1001"),
        (["", "--k", "3"], "must not be blank"),
        ([" \t", "--k", "3"], "must not be blank"),
        (["sho\udce9"], "must be valid Unicode"),
        (["shoe", "--mode", "fuzzy"], "mode must be one of lexical, semantic, hybrid"),
    ],
)
def test_searches_that_cannot_be_answered(refused, built_shop, arguments, text):
    assert refused("search", *arguments, "-w", built_shop.path, text=text) == 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--systems", "lexical,bm25"], "among lexical, semantic, hybrid"),
        (["--systems", ","], "among lexical, semantic, hybrid"),
        (["--split", "dev"], "split='dev'"),
        (["--split", "train"], r"holds=\['validation', 'test'\]"),
        (["--min-grade", "4"], "highest_grade=3.0"),
        (["--min-grade", "0"], "min_grade"),
        (["--min-grade", "nan"], "min_grade"),
    ],
)
def test_evaluations_that_cannot_be_made(refused, built_shop, arguments, text):
    assert refused("evaluate", "-w", built_shop.path, *arguments, text=text) == 2


def test_a_run_that_cannot_be_written(refused, built_shop, tmp_path):
    (tmp_path / "file").write_text("x")
    run = ["--run", tmp_path / "file" / "out.trec", "--systems", "lexical"]
    assert refused("evaluate", "-w", built_shop.path, *run, text="must be writable") == 2


def test_an_index_of_other_products(refused, aisle, shop, simulated, tmp_path):
    pq.write_table(simulated.products.slice(1), tmp_path / "p.parquet")
    assert aisle("import", "-w", shop.path, "--products", tmp_path / "p.parquet").code == 0
    for command in (["search", "shoe"], ["evaluate"], ["serve", "--port", "0"]):
        assert refused(*command, "-w", shop.path, text=r"changed_since=\['products'\].*aisle index") == 1


@pytest.mark.parametrize(
    "name",
    ["index/hybrid.json", "index/lexical/vocab.index.json", "model/model.safetensors", "products/products.parquet"],
)
def test_damaged_artefacts(refused, shop, name):
    path = shop.path / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert refused("search", "shoe", "-w", shop.path, text=f"{name.rpartition('/')[2]}.*changed.*run its step") == 1
    path.unlink()
    assert refused("search", "shoe", "-w", shop.path, text="missing") == 1


def test_a_model_of_another_feature_spec(refused, shop):
    folder, manifest = shop.folder("model"), shop.manifest("model")
    config = json.loads((folder / "config.json").read_text())
    config["features"]["version"] += 1
    (folder / "config.json").write_text(json.dumps(config))
    kept = {name: getattr(manifest, name) for name in ("step", "fingerprint", "inputs", "config", "seed")}
    Manifest.of_folder(folder, **kept).write(folder)
    assert refused("index", "-w", shop.path, text="feature spec must be of version") == 1


def test_a_checkpoint_that_does_not_exist(refused, shop, tmp_path):
    before = contents(shop.path)
    init = f"text.init={tmp_path / 'nowhere'}"
    assert refused("train", "-w", shop.path, "--set", init, text=r"text\.init must name.*safetensors|tokenizer") == 1
    assert contents(shop.path) == before


def test_settings_that_do_not_fit_each_other(refused, shop):
    before = contents(shop.path)
    train = ["train", "-w", shop.path, "--set", "text.enabled=true"]
    heads = ["--set", "text.num_heads=3", "--set", "text.hidden_dim=16"]
    assert refused(*train, *heads, text="multiple of text.num_heads") == 1
    assert refused(*train, "--set", "embedding_dim=2", "--set", "term.share=9", text="must get a dimension") == 1
    assert {name: contents(shop.path)[name] for name in ("model", "index")} == {
        name: before[name] for name in ("model", "index")
    }


def test_a_port_that_is_taken(refused, built_shop):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refused("serve", "-w", built_shop.path, "--port", port, text=f"port must be free.*port={port}") == 2
    assert refused("serve", "-w", built_shop.path, "--port", 70000, text="0..65535") == 2


def test_ids_with_spaces_cannot_stand_in_trec_files(refused, aisle_json, shop, tmp_path):
    judgments = pa.table({"query": ["shoe"], "product_id": ["my shoe"], "grade": [3.0]})
    products = pa.table({"product_id": ["my shoe", "b"], "title": ["red shoe", "blue hat"]})
    for name, table in (("p", products), ("j", judgments)):
        pq.write_table(table, tmp_path / f"{name}.parquet")
    files = ["--products", tmp_path / "p.parquet", "--judgments", tmp_path / "j.parquet"]
    aisle_json("import", "-w", shop.path, *files)
    aisle_json("index", "-w", shop.path)
    run = ["evaluate", "-w", shop.path, "--systems", "lexical", "--run", tmp_path / "out.trec"]
    assert refused(*run, text="without white space") == 2
    assert list(tmp_path.glob("out*")) == []


def test_nothing_to_train_on(refused, tmp_path, aisle_json):
    (tmp_path / "p.csv").write_text("product_id,title\na,shoe\n")
    aisle_json("import", "-w", tmp_path / "shop", "--products", tmp_path / "p.csv")
    assert refused("train", "-w", tmp_path / "shop", text="at least 2 pairs and 1 validation query") == 2
    assert "model" not in Workspace.open(tmp_path / "shop").names()


def test_a_folder_that_cannot_be_made_for_the_lack_of_rights_is_told(refused, tmp_path):
    if sys.platform != "linux":
        pytest.skip("/proc is Linux's")
    (tmp_path / "p.csv").write_text(GOOD)
    assert refused("import", "-w", "/proc/shop", "--products", tmp_path / "p.csv", text="must be writable") == 1
