"""What is measured on is not learnt from: test judgments change no byte of a model."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from aisle.pipelines.training import train_model
from aisle.workspace import file_sha256


@pytest.fixture(scope="module")
def judgments(simulated):
    """Queries cut into all three splits: of the generated ones, half of the test queries now train."""
    table = simulated.judgments.drop_columns("kind")
    table = table.filter(pc.greater_equal(table.column("grade"), 2))
    queries = pc.unique(table.filter(pc.equal(table.column("split"), "test")).column("query"))
    train = pc.is_in(table.column("query"), value_set=queries.slice(0, len(queries) // 2))
    return table.set_column(3, "split", pc.if_else(train, "train", table.column("split")))


@pytest.fixture(scope="module")
def weights_of(import_shop, tiny_recipe, tmp_path_factory):
    """Import, train and return the hash of the weights."""

    def trained(judgments, path=None):
        path = path or tmp_path_factory.mktemp("unseen") / "shop"
        workspace = import_shop(path, judgments=judgments, grades="ordered=3,clicked=2")
        result = train_model(workspace, tiny_recipe(pairs__pseudo_per_product=1))
        return file_sha256(workspace.folder("model") / "model.safetensors"), result

    return trained


@pytest.mark.slow
def test_other_test_judgments_train_the_same_model(judgments, weights_of, tmp_path):
    split = judgments.column("split")
    test, others = judgments.filter(pc.equal(split, "test")), judgments.filter(pc.not_equal(split, "test"))
    changed = test.set_column(2, "grade", pa.array([1.0] * test.num_rows))
    # Test rows about what also trains, and before it in the file.
    added = others.set_column(3, "split", pa.array(["test"] * others.num_rows))
    path = tmp_path / "shop"
    weights, first = weights_of(judgments, path)
    assert first.manifest.inputs["features"]
    for other in (pa.concat_tables([changed, others]), pa.concat_tables([added, others])):
        assert weights_of(other)[0] == weights
    without, result = weights_of(others, path)
    assert without == weights
    assert result.skipped


@pytest.mark.slow
def test_other_training_judgments_train_another_model(judgments, weights_of):
    split = judgments.column("split")
    fewer = pa.concat_tables(
        [judgments.filter(pc.equal(split, "train")).slice(0, 20), judgments.filter(pc.not_equal(split, "train"))]
    )
    assert weights_of(fewer)[0] != weights_of(judgments)[0]
