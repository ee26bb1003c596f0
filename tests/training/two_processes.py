"""What each of several processes does in tests: run by a launcher as `python two_processes.py JOBS`.

The file of jobs is a JSON list; every job has the `folder` of a `model` and `features`, what it `does` and where it
leaves what this process found: `out`, with the process's number behind it.
"""

import json
import os
import sys
from pathlib import Path

import torch

from aisle.core.errors import TrainingError
from aisle.towers import TwoTower
from aisle.training import TrainConfig, TrainingData
from aisle.training.loss_config import DynamicConfig
from aisle.training.processes import joined_processes
from aisle.training.trainer import Trainer


def make_trainer(job, processes, changes):
    """Make a trainer of the folder's model, without drop-out unless the job wants it."""
    folder, out = Path(job["folder"]), Path(job["out"])
    config = TrainConfig(**{**changes, "dynamic": DynamicConfig(**changes.get("dynamic", {}))})
    out.mkdir(exist_ok=True)
    model, data = TwoTower.load(folder / "model"), TrainingData.read(folder / "features")
    for module in model.network.modules():
        for name in ("dropout", "row_dropout", "p"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, job.get("drop_out", 0.0))
    return Trainer(model, data, config, folder=out, seed=1, processes=processes)


def loss_and_gradients(trainer, *, step):
    """Do one step, but for the optimisers', and return its loss, and its gradients before they are clipped."""
    trainer.progress.step = step
    trainer.progress.planned_steps = 10 * step
    trainer.optimisers.step = lambda factor: None
    trainer.optimisers.clip = list
    loss = trainer.step(trainer.batches.batch(step))
    hinge = trainer.objective.hinge
    weights = dict(trainer.model.network.named_parameters())
    weights |= {f"hinge.{name}": one for name, one in hinge.named_parameters()} if hinge is not None else {}
    return loss, {name: None if one.grad is None else one.grad.to_dense().clone() for name, one in weights.items()}


def compare(job, processes):
    """Compute loss and gradients of one step under several settings, from weights that only the first process has."""
    found = {}
    for name, changes in job["settings"].items():
        trainer = make_trainer(job, processes, changes)
        if not processes.is_main:
            with torch.no_grad():
                for weight in trainer.model.network.parameters():
                    weight.zero_()
        trainer._agree()
        if trainer.data.log is not None:
            trainer.fill_tables()
        found[name] = loss_and_gradients(trainer, step=job["step"])
    return found


def share(job, processes):
    """Encode the catalogue together; tell how many rows this process encoded."""
    folder = Path(job["folder"])
    model, data = TwoTower.load(folder / "model"), TrainingData.read(folder / "features")
    rows, product = [], model.network.product

    def counted(batch):
        vectors = product(batch)
        rows.append(len(vectors))
        return vectors

    model.network.product = counted
    model.sharing = processes
    many = data.product_features.take(torch.arange(3000).numpy() % len(data.product_features))
    return torch.from_numpy(model.encode_product_features(many)), sum(rows), processes.from_main(processes.rank)


def run(job, processes):
    """Train to the end; the process that is told to dies before a step."""
    trainer = make_trainer(job, processes, job["settings"])
    begun, step = trainer.progress.step, trainer.step

    def dying(batch):
        if trainer.progress.step == job["before_step"]:
            os._exit(9)
        return step(batch)

    if job.get("dies") == processes.rank:
        trainer.step = dying
    try:
        result = trainer.run()
    except TrainingError as error:
        return str(error)
    return begun, result.steps, result.history, trainer.model.network.state_dict()


def main():
    """Do all jobs, one after another."""
    torch.set_num_threads(1)
    with joined_processes() as processes:
        for job in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
            found = {"compare": compare, "share": share, "run": run}[job["does"]](job, processes)
            torch.save(found, f"{job['out']}_{processes.rank}.pt")


if __name__ == "__main__":
    main()
