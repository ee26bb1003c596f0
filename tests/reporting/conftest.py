import pytest

from aisle.encoders.config import TermEncoderConfig, TextEncoderConfig
from aisle.pretraining import PretrainConfig, PretrainResult
from aisle.reporting import Pretrained, Trained
from aisle.towers import TowerConfig
from aisle.training import TrainConfig, TrainingResult

LOG = {
    "windows": {
        "slice_starts": ["2025-06-10T14:33:23.000000Z", "2025-06-19T20:11:01.000000Z"],
        "train_end": "2025-08-12T00:00:10.000000Z",
        "test_from": "2025-08-21T00:02:12.000000Z",
    },
    "splits": {"train": {"searches": 118924, "clicked": 43118, "favorited": 2843, "carted": 6614, "ordered": 5508}},
}


@pytest.fixture
def make_trained():
    """Make what there is to tell of a training of 40 steps."""

    def make(**changes):
        measures = {"R@10": 0.5, "R@100": 0.75, "nDCG@10": 0.25}
        history = [
            {"step": 20, "elapsed_s": 1.0, "loss": 3.0, "loss_batch": 2.0, "recall": 0.6}
            | {"R@10": 0.4, "R@100": 0.6, "nDCG@10": 0.2},
            {"step": 40, "elapsed_s": 2.0, "loss": 1.5, "loss_batch": 1.0, "loss_ranking": 0.7, "recall": 0.75}
            | measures,
        ]
        values = {
            "towers": TowerConfig(
                embedding_dim=32,
                term=TermEncoderConfig(stop_share=0.5),
                text=TextEncoderConfig(enabled=True, share=1.0),
            ),
            "train": TrainConfig(),
            "result": TrainingResult(
                recall=0.75,
                measures=measures,
                stop_measure="R@10",
                best_step=40,
                steps=40,
                planned_steps=50,
                batch_size=512,
                pairs_s=1234.5,
                encodes_per_pair=2.5,
                minutes=1.25,
                learning_rates={"term table": 0.005, "text": 0.001},
                history=history,
                loss_curve=[(10, 4.0), (20, 2.0), (40, 1.5)],
            ),
            "seed": 7,
            "parameters": 33_000,
            "learnt_from": {
                "products": 20_000,
                "pairs": 68_403,
                "logged_pairs": 68_403,
                "validation_queries": 712,
                "validation_from": "orders of the validation window",
            },
            "log": LOG,
            "data_hash": "ab" * 32,
        }
        return Trained(**{**values, **changes})

    return make


@pytest.fixture
def make_pretrained():
    """Make what there is to tell of a pre-training of 20 steps."""

    def make():
        first = {"step": 0, "elapsed_s": 0.0, "masked_accuracy": 0.125, "contrastive_recall": 0.25}
        last = {"step": 20, "elapsed_s": 9.0, "loss_masked": 3.0, "loss_contrastive": 1.0}
        measures = {"masked_accuracy": 0.5, "contrastive_recall": 0.75}
        return Pretrained(
            pretrain=PretrainConfig(contrastive_weight=0.5),
            result=PretrainResult(
                measures=measures,
                best_step=20,
                steps=20,
                planned_steps=30,
                texts_s=1234.0,
                minutes=1.25,
                history=[first, last | measures],
                loss_curve=[(10, 4.0), (20, 2.0)],
            ),
            seed=7,
            parameters=33_000,
            vocabulary_size=500,
            texts=340,
            pairs=40,
            pairs_from="queries and products of the log",
            counts={"products": 300, "products_later": 7, "queries": 40, "purchases": 3},
        )

    return make
