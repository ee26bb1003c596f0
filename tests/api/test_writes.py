from dataclasses import asdict

import pytest
from pydantic import ValidationError

from aisle.api import ACTOR_KINDS, ErasedDocument, WriteDocument
from aisle.live import Erased, WriteResult


def test_results_of_the_shop_fit():
    result = WriteResult(line=3, id="a", status="refused", problem="No.")
    assert WriteDocument.model_validate(asdict(result)).problem == "No."
    assert ErasedDocument.model_validate(asdict(Erased("user", "u1", 3))).events == 3


def test_the_kinds_of_actors():
    assert ACTOR_KINDS == ("user", "client", "session")
    with pytest.raises(ValidationError):
        ErasedDocument.model_validate(asdict(Erased("shop", "u1", 3)))


def test_the_published_examples_fit():
    examples = WriteDocument.model_json_schema()["examples"]
    assert [WriteDocument.model_validate(example).status for example in examples] == ["written", "refused"]
