import pytest

_SETTINGS = {"max_steps": 2, "validation_steps": 2, "batch_size": 16, "held_out_share": 0.2}


@pytest.fixture
def settings(tiny, set_options):
    return set_options([*tiny(), *(f"pretrain.{name}={value}" for name, value in _SETTINGS.items())])


def test_pretrain_reports_and_is_skipped_the_second_time(aisle, aisle_json, import_shop, settings, tmp_path):
    command = ["pretrain", "--workspace", import_shop(tmp_path / "shop").path, *settings]
    first, second = aisle_json(*command), aisle_json(*command)
    assert (first["step"], first["skipped"], first["steps"], second["skipped"]) == ("pretrain", False, 2, True)
    assert {**first, "skipped": True} == second
    assert "pretrain (unchanged: skipped)" in aisle(*command).out


@pytest.mark.parametrize(
    ("setting", "code", "message"),
    [
        ("pretrain.mask_share=2", 1, "pretrain.mask_share: Input should be less than or equal to 0.5"),
        ("pretrain.init=nowhere", 1, "must name a Hugging Face checkpoint"),
        ("pretrain.sequence_weight=1", 2, "needs at least 2 purchases"),
        ("text.init=pretrained", 0, ""),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(aisle, import_shop, settings, tmp_path, setting, code, message):
    shop = import_shop(tmp_path / "shop").path
    result = aisle("pretrain", "--workspace", shop, *settings, "--set", setting)
    assert result.code == code
    assert message in result.err
    assert "Traceback" not in result.err


def test_training_from_what_was_not_pretrained_names_the_command(aisle, import_shop, settings, tmp_path):
    shop = import_shop(tmp_path / "shop").path
    result = aisle("train", "--workspace", shop, *settings, "--set", "text.init=pretrained")
    assert result.code == 1
    assert "Run the step that makes 'pretrained' first: `aisle pretrain`" in result.err
