import pytest

from aisle.adapters.options import check_options
from aisle.core.errors import UsageError


def test_known_options_and_defaults_of_the_library_pass():
    check_options({"batch_size": 7, "prompt_name": "query", "precision": "float32", "prompt": None, "pool": None})
    check_options({"output_value": "sentence_embedding", "prompt": "", "truncate_dim": None})


def test_all_that_cannot_be_kept_is_named():
    with pytest.raises(UsageError, match=r"precision='int8', prompt='query: ', truncate_dim=8"):
        check_options({"precision": "int8", "prompt": "query: ", "truncate_dim": 8, "batch_size": 1})
