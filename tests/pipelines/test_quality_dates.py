import datetime
import json
import shutil

import pyarrow as pa
import pytest

from aisle.core.errors import UsageError
from aisle.mining import MiningConfig
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.importing import import_tables
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.mining import mine
from aisle.pipelines.quality_dates import QUALITY, quality_dates
from aisle.pipelines.recipe import load_recipe
from aisle.sources import SourceTables
from aisle.tables import TIME
from aisle.workspace import Workspace

DAY = 86_400_000_000


def rated(*, stars, updated):
    return pa.table(
        {
            "product_id": ["a", "b", "c"],
            "quality_stars": pa.array(stars, pa.float64()),
            "updated_at": pa.array(updated, TIME),
        }
    )


def test_the_newest_date_of_a_product_with_a_value_counts():
    told = quality_dates(rated(stars=[1, 2, None], updated=[DAY, 2 * DAY, 3 * DAY]), ("quality_stars",))
    assert told == {"columns": ["quality_stars"], "undated": 0, "until": "1970-01-03T00:00:00.000000+00:00"}


def test_values_without_a_date_are_counted():
    assert quality_dates(rated(stars=[1, 2, 3], updated=[DAY, None, None]), ("quality_stars",))["undated"] == 2
    undated = rated(stars=[1, 2, None], updated=[DAY] * 3).drop_columns("updated_at")
    assert quality_dates(undated, ("quality_stars",)) == {"columns": ["quality_stars"], "undated": 2, "until": None}


@pytest.mark.parametrize("columns", [(), ("quality_sales",)])
def test_what_is_not_read_or_not_there_needs_no_date(columns):
    assert quality_dates(rated(stars=[1, 2, 3], updated=[None] * 3), columns) is None
    assert quality_dates(rated(stars=[None] * 3, updated=[None] * 3), ("quality_stars",)) is None


@pytest.fixture
def imported_again(learnt_shop, tmp_path):
    """Import the learnt shop's products again, changed, and index them with the model that is there."""

    def make(change):
        shutil.copytree(learnt_shop.path, tmp_path / "shop")
        workspace = Workspace.open(tmp_path / "shop")
        import_tables(workspace, SourceTables({"products": change(read_products(workspace))}, {}, {}))
        mine(workspace, MiningConfig(num_slices=3, threads=1, memory_gb=0.5))
        build_indexes(workspace, load_recipe(None, ()))
        return workspace

    return make


def updated(time):
    return lambda products: products.set_column(
        products.column_names.index("updated_at"), "updated_at", pa.array([time] * products.num_rows, TIME)
    )


def test_an_index_of_training_knows_old_values_only(learnt_shop):
    assert learnt_shop.manifest("index").summary[QUALITY] is None
    assert evaluate_systems(learnt_shop, systems=["semantic"]).trusted_quality is None


@pytest.mark.parametrize("time", [datetime.datetime(2025, 2, 1, tzinfo=datetime.UTC), None])
def test_values_of_after_the_searches_are_refused_unless_they_are_trusted(imported_again, aisle, time):
    workspace = imported_again(updated(time))
    with pytest.raises(UsageError, match=r"must be older than the searches.*--trust-quality"):
        evaluate_systems(workspace, systems=["semantic"])
    assert evaluate_systems(workspace, systems=["lexical"]).trusted_quality is None
    command = ("evaluate", "--workspace", str(workspace.path), "--systems", "semantic", "--trust-quality")
    told = json.loads(aisle(*command, "--json").out)["trusted_quality"]
    assert told["columns"] == ["quality_stars"]
    assert told["undated"] == (32 if time is None else 0)
    assert "They may tell of what these searches came to" in aisle(*command).err


def test_values_of_before_the_searches_are_taken(imported_again):
    workspace = imported_again(updated(datetime.datetime(2025, 1, 2, tzinfo=datetime.UTC)))
    assert workspace.manifest("index").summary[QUALITY]["until"].startswith("2025-01-02")
    assert evaluate_systems(workspace, systems=["semantic"]).trusted_quality is None
