import numpy as np
import pytest


def _clustered(num, dim, *, seed, num_clusters=40):
    """Unit vectors around cluster centres, as products of a shop lie around their categories."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((num_clusters, dim))
    vectors = centres[rng.integers(num_clusters, size=num)] + 0.6 * rng.standard_normal((num, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="session")
def vectors():
    return _clustered(2000, 32, seed=1)


@pytest.fixture(scope="session")
def queries():
    return _clustered(60, 32, seed=2)
