"""Two processes that train together come to what one comes to."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from aisle.core.errors import TrainingError, UsageError
from aisle.pipelines.launching import run_together
from aisle.training import TrainingData
from aisle.training.processes import ONE_PROCESS, Processes, joined_processes

SCRIPT = Path(__file__).parent / "two_processes.py"

SMALL_POOL = {"pool_size": 60, "refresh_steps": 3, "skip_ranks": 1, "depth": 40, "margin": 0.0, "num_columns": 8}
PAIRS = {
    "plain": {},
    "in chunks": {"chunk_size": 5},
    "whole tables": {"sparse_gradients": False},
    "an odd batch": {"batch_size": 15, "num_uniform": 7},
}
SEARCHES = {
    "plain": {},
    "all losses": {
        "hard_weight": 0.5,
        "num_hard": 3,
        "dynamic_weight": 1.0,
        "dynamic": SMALL_POOL,
        "hinge_weight": 0.3,
    },
    "whole tables": {"sparse_gradients": False, "chunk_size": 7},
}


def run_jobs(folder, jobs, *, number=2):
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    return run_together([sys.executable, str(SCRIPT), str(folder / "jobs.json")], number=number)


def found_by(job, rank):
    return torch.load(f"{job['out']}_{rank}.pt", weights_only=False)


@pytest.fixture(scope="session")
def script():
    spec = importlib.util.spec_from_file_location("two_processes", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def settings(make_config):
    """Plain values of a short run, changed."""
    plain = {name: getattr(make_config(), name) for name in ("batch_size", "epochs", "min_steps", "max_minutes")}
    rest = {"temperature": 0.1, "num_uniform": 16, "gradient_clip": 10.0, "patience": 100, "bf16": False}
    return lambda **changes: {**plain, **rest, "num_skipped": 12, **changes}


@pytest.fixture(scope="session")
def shops(make_model, make_log_model, write_features, log_features, tmp_path_factory):
    """Folders of a shop of pairs and of one of searches: features, and an untrained model."""

    def keep(name, features, model):
        folder = tmp_path_factory.mktemp(name)
        (folder / "features").symlink_to(features)
        (folder / "model").mkdir()
        model.save(folder / "model")
        return str(folder)

    by_search, featuriser = log_features()
    data = TrainingData.read(by_search)
    num_known = (len(data.logged_queries()[0]), len(data.product_features))
    log_model = make_log_model(featuriser, vectors="trained", num_known=num_known)
    texts, features = data.logged_queries()
    log_model.fill_tables(
        query_texts=texts,
        query_features=features,
        product_ids=data.product_ids,
        product_features=data.product_features,
    )
    return keep("pairs", write_features(), make_model()), keep("searches", by_search, log_model)


@pytest.fixture(scope="session")
def together(shops, settings, tmp_path_factory):
    """What two processes found in one launch, by name: the job and both processes' files."""
    folder = tmp_path_factory.mktemp("together")
    pairs, searches = shops
    compared = {"does": "compare", "step": 3}
    jobs = {
        "pairs": compared | {"folder": pairs, "settings": {name: settings(**one) for name, one in PAIRS.items()}},
        "searches": compared
        | {"folder": searches, "settings": {name: settings(**one) for name, one in SEARCHES.items()}},
        "share": {"does": "share", "folder": pairs},
        "unbroken": {"does": "run", "folder": pairs, "settings": settings(epochs=2), "drop_out": 0.2},
    }
    jobs = {name: {**job, "out": str(folder / name)} for name, job in jobs.items()}
    assert run_jobs(folder, list(jobs.values())) == 0
    return jobs


@pytest.mark.parametrize(
    ("shop", "name"), [("pairs", name) for name in PAIRS] + [("searches", name) for name in SEARCHES]
)
def test_loss_and_gradients_of_half_batches_are_those_of_the_whole(together, script, tmp_path, shop, name):
    job = together[shop]
    # One process, the whole batch at once, sparse gradients.
    whole = {**job["settings"][name], "chunk_size": 0, "sparse_gradients": True}
    alone = script.compare({**job, "settings": {name: whole}, "out": str(tmp_path / "alone")}, ONE_PROCESS)[name]
    for rank in (0, 1):
        loss, gradients = found_by(job, rank)[name]
        assert loss == pytest.approx(alone[0], abs=1e-5)
        assert gradients.keys() == alone[1].keys()
        moved = 0
        for weight, expected in alone[1].items():
            if expected is None:
                assert gradients[weight] is None
                continue
            moved += bool(expected.any())
            assert torch.allclose(gradients[weight], expected, rtol=1e-4, atol=1e-5), weight
        assert moved > 5
    ours, theirs = (found_by(job, rank)[name][1] for rank in (0, 1))
    assert all(one is None or torch.equal(one, theirs[weight]) for weight, one in ours.items()), "weights would part"


def test_the_catalogue_is_encoded_once_between_them(together, script):
    job = together["share"]
    alone, num_rows, _ = script.share(job, ONE_PROCESS)
    shares = [found_by(job, rank) for rank in (0, 1)]
    assert num_rows == 3000
    assert sorted(rows for _, rows, _ in shares) == [1024, 1976]
    assert all(torch.equal(vectors, alone) for vectors, _, _ in shares)
    assert [told for _, _, told in shares] == [0, 0]


def test_a_process_that_dies_ends_the_others_and_the_run_resumes_as_an_unbroken_one(together, settings, tmp_path):
    unbroken = together["unbroken"]
    job = {**unbroken, "settings": settings(epochs=2), "out": str(tmp_path / "broken")}
    with pytest.raises(TrainingError, match=r"must run until the end\. Received: process=1, exit_code=9.*last checkp"):
        run_jobs(tmp_path, [{**job, "dies": 1, "before_step": 10}])
    assert "All processes of a training must run until its end" in found_by(job, 0)
    assert run_jobs(tmp_path, [job]) == 0
    for rank in (0, 1):
        begun, steps, history, weights = found_by(job, rank)
        whole_begun, whole_steps, whole_history, whole_weights = found_by(unbroken, rank)
        assert (whole_begun, begun, steps) == (0, 9, whole_steps)
        assert [row["recall"] for row in history] == [row["recall"] for row in whole_history]
        assert all(torch.equal(weights[name], value) for name, value in whole_weights.items())
    assert [path.name for path in Path(job["out"]).iterdir()] == ["checkpoint.pt"]


def test_both_processes_end_with_the_same_model_that_learnt(together):
    (begun, _, history, weights), (_, _, _, others) = (found_by(together["unbroken"], rank) for rank in (0, 1))
    assert begun == 0
    assert history[-1]["loss"] < history[0]["loss"]
    assert all(torch.equal(weights[name], value) for name, value in others.items())


def test_one_process_alone_asks_nobody():
    vectors = np.ones((2, 3), np.float32)
    assert ONE_PROCESS.whole(vectors) is vectors
    assert ONE_PROCESS.from_main("ours") == "ours"
    assert list(range(5))[ONE_PROCESS.own] == [0, 1, 2, 3, 4]
    assert ONE_PROCESS.stream == ()
    assert ONE_PROCESS.gather(torch.ones(2, 3), most=3).tolist() == [[1.0] * 3, [1.0] * 3, [0.0] * 3]
    tensor = torch.ones(2)
    ONE_PROCESS.add_up(tensor)
    ONE_PROCESS.copy_from_main([tensor])
    assert tensor.tolist() == [1, 1]


def test_shares_of_blocks_meet_no_block_twice():
    blocks = list(range(7))
    shares = [blocks[Processes(rank, 3).own] for rank in range(3)]
    assert sorted(block for share in shares for block in share) == blocks
    assert [Processes(rank, 3).stream for rank in range(3)] == [(0,), (1,), (2,)]
    assert [Processes(rank, 3).is_main for rank in range(3)] == [True, False, False]


def test_without_a_launcher_there_is_one_process(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined_processes() as processes:
        assert processes == ONE_PROCESS
    assert not torch.distributed.is_initialized()


def test_a_launcher_that_does_not_tell_where_the_others_are_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(UsageError, match=r"MASTER_ADDR.*accelerate launch"), joined_processes():
        pass


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UsageError, match=r"GPU of its own\. Received: processes=4, gpus=2"), joined_processes():
        pass
