def test_what_was_written_is_told(aisle, aisle_json, built_shop, tmp_path):
    told = aisle_json("export", "--workspace", built_shop.path, "--out", tmp_path / "one")
    assert (told["step"], told["products"], told["boosted"]) == ("export", 300, False)
    assert told["files"]["vectors.parquet"] == (tmp_path / "one" / "vectors.parquet").stat().st_size
    result = aisle("export", "--workspace", built_shop.path, "--out", tmp_path / "two")
    assert result.code == 0
    assert "query.onnx" in result.out
    assert "README.md says what each file is" in result.err


def test_a_folder_that_is_there_is_a_usage_error(aisle, built_shop, tmp_path):
    result = aisle("export", "--workspace", built_shop.path, "--out", tmp_path)
    assert result.code == 2
    assert "must be new" in result.err
