"""A start for the term part from latent semantic analysis: words that stand in like products begin near each other."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int64
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from aisle.encoders.term import TermEncoder
from aisle.features import Terms

__all__ = ["start_from_latent"]

_MOST_PRODUCTS = 100_000
"""Products that are looked at; more change the directions little and take time and memory."""


@torch.no_grad()
def start_from_latent(encoder: TermEncoder, products: Terms, *, share: float, seed: int) -> int:
    """Overwrite a share of the table's dimensions with the main directions of the catalogue's terms.

    The other dimensions stay random: they keep what tells products apart, the latent ones what makes them alike. Both
    kinds start at one scale, so that neither is drowned. A catalogue too small for so many directions gets fewer.

    Args:
        encoder: The term part, fresh.
        products: Terms of the catalogue; of a large one, products are drawn evenly.
        share: Share of the dimensions, 0 to 1; 0 leaves the table as it is.
        seed: Seed of the randomised decomposition.

    Returns:
        Number of dimensions that were overwritten.

    Source: Deerwester et al. 1990, "Indexing by latent semantic analysis"; Halko et al. 2011 for the decomposition.
    """
    rows = _filled_rows(products)
    num_latent = min(int(share * encoder.dim), len(rows) - 1, encoder.table.num_embeddings - 1)
    if num_latent < 1:
        return 0
    matrix = _unit_rows(products.take(rows), encoder.table.num_embeddings)
    directions = TruncatedSVD(num_latent, n_iter=4, random_state=seed % 2**32).fit(matrix).components_.T
    # Random dimensions give a row of length one a square of about 1 / dim in each; the latent ones are brought to that.
    norm = np.sqrt(np.mean(np.sum((matrix @ directions) ** 2, axis=1)))
    scale = np.sqrt(num_latent / encoder.dim) / max(norm, 1e-12)
    table = encoder.table.weight
    table[:, :num_latent] = torch.from_numpy(np.ascontiguousarray(directions * scale)).to(table.device, table.dtype)
    return num_latent


def _filled_rows(products: Terms) -> Int64[np.ndarray, " rows"]:
    """Return evenly drawn products that have any n-gram."""
    filled = np.flatnonzero(np.diff(products.offsets) > 0)
    return filled[np.linspace(0, len(filled) - 1, min(len(filled), _MOST_PRODUCTS)).astype(np.int64)]


def _unit_rows(terms: Terms, num_buckets: int) -> sparse.csr_matrix:
    """Return the weighted n-grams of each product as a row of length one."""
    matrix = sparse.csr_matrix((terms.weight, terms.bucket, terms.offsets), shape=(len(terms), num_buckets))
    norm = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(norm, 1e-12)) @ matrix)
