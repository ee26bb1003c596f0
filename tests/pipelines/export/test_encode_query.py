import runpy
import subprocess
import sys

import numpy as np
import pytest

from aisle.core.ranking import QueryBatch
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.export.encode_query import ExportedEncoder
from aisle.pipelines.training import load_encoder, load_model

TEXTS = ["lamp", "Oak  DESK lamp 120 cm", "zzqx", "!!!", "红色连衣裙", "a " * 300]


def test_words_are_encoded_as_the_model_encodes_them(built_shop, exported):
    encoder, model = ExportedEncoder(exported[1]), load_model(built_shop)
    for text in TEXTS:
        assert np.abs(encoder.encode(text) - model.encode_queries([text])[0]).max() < 1e-5, text


@pytest.mark.parametrize("location", [None, "de", "nowhere"])
def test_known_queries_and_places_are_encoded_as_in_serving(learnt_shop, exported_log, location):
    encoder, model = ExportedEncoder(exported_log[1]), load_model(learnt_shop)
    serving = load_encoder(learnt_shop, model, read_products(learnt_shop))
    for text in ["word3", " WORD12", "word3 thing", *TEXTS]:
        expected = serving.encode(QueryBatch([text], [location]))[0]
        assert np.abs(encoder.encode(text, location=location) - expected).max() < 1e-5, text
    assert np.abs(encoder.encode("word3") - encoder.encode("word4")).max() > 1e-3
    bare = model.encode_queries(["word3"])[0]
    assert np.abs(encoder.encode("word3") - bare).max() > 1e-3, "the log's neighbours change nothing"


def test_the_script_runs_alone_and_without_torch(exported):
    _, folder = exported
    code = (
        "import runpy, sys; sys.argv = ['encode_query.py', 'lamp']; "
        f"runpy.run_path({str(folder / 'encode_query.py')!r}, run_name='__main__'); assert 'torch' not in sys.modules"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    lines = [line.split() for line in found.stdout.splitlines()]
    assert len(lines) == 10
    assert [float(score) for score, _ in lines] == sorted((float(score) for score, _ in lines), reverse=True)


def test_the_copy_is_the_module_that_is_tested(exported):
    copied = runpy.run_path(str(exported[1] / "encode_query.py"))
    assert np.array_equal(
        copied["ExportedEncoder"](exported[1]).encode("lamp"), ExportedEncoder(exported[1]).encode("lamp")
    )
