"""Types of a real catalogue: its category leaves, or clusters of its titles under names from their own words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from jaxtyping import Float32, Int64

from aisle.core.text import word_lists
from aisle.simulation.catalogue_text import WordTable, telling_phrases, title_vectors, with_bigrams

__all__ = ["CatalogueTypes", "find_types"]

_PRODUCTS_PER_CLUSTER = 100
_MOST_CLUSTERS = 400
_TYPES_PER_GROUP, _TYPES_PER_DEPARTMENT = 4, 12
_LEVELS = 3
_OTHER_NAMES = 2
"""Most further names of a type."""
_AS_GOOD = 0.7
"""A further name scores at least this share of the first."""
_SAID_IN_DESCRIPTIONS, _SAID_IN_TITLES = 0.05, 0.01
"""A shoppers' word stands in at least this share of a type's descriptions and at most this share of its titles."""
_FIT_ROWS = 50_000
"""Most titles that the clusters are found with; the others go to the nearest."""
_NAMELESS = "product"
_HALF = 0.5
_BEST = 8
"""Phrases that are looked at as names."""
_COLOURS = frozenset(["black", "white", "grey", "gray", "red", "blue", "green", "yellow", "brown", "silver", "gold"])


@dataclass(frozen=True)
class CatalogueTypes:
    """The types that the products of a catalogue fall into."""

    type_index: Int64[np.ndarray, " products"]
    paths: tuple[tuple[str, ...], ...]
    """Department, group and leaf of each type."""
    sellers: tuple[tuple[str, ...], ...]
    """What titles call it, the usual name first."""
    shoppers: tuple[tuple[str, ...], ...]
    """Words of its descriptions that its titles do not have; may be empty."""


def find_types(products: pa.Table, *, seed: int) -> CatalogueTypes:
    """Find the types of a catalogue.

    Where at least half of the products have a category, the paths are the types, and the other products go to the one
    whose titles are most alike. Otherwise titles are clustered, clusters that would have the same name are one type,
    and departments and groups are clusters of types.
    """
    titles = products.column("title").combine_chunks()
    unfit = _unfit_words(products)
    vectors = title_vectors(titles, seed=seed)
    table = with_bigrams(titles)
    paths, path_index = _category_paths(products)
    if len(paths) and (path_index >= 0).mean() >= _HALF:
        type_index = _nearest_known(vectors, path_index, num_types=len(paths))
        names = _names(table, type_index, unfit=unfit)
        leaves = [path[-1].lower() for path in paths]
        sellers = [tuple(dict.fromkeys((leaf, *of_type))) for leaf, of_type in zip(leaves, names, strict=True)]
    else:
        cluster = _cluster(vectors, seed=seed)
        names = _names(table, cluster, unfit=unfit)
        type_index, sellers = _merge(cluster, names)
        paths = _hierarchy(vectors, type_index, [of_type[0] for of_type in sellers])
    shoppers = _description_words(products, type_index, titles=table, sellers=sellers, unfit=unfit)
    return CatalogueTypes(type_index, tuple(paths), tuple(sellers), shoppers)


def _unfit_words(products: pa.Table) -> frozenset[str]:
    """Return words that name no type: function words, colours and the words of brands."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    unfit = ENGLISH_STOP_WORDS | _COLOURS
    if "brand" not in products.column_names:
        return unfit
    brands = pc.unique(products.column("brand").combine_chunks())
    return unfit | set(word_lists(brands).flatten().to_pylist())


def _category_paths(products: pa.Table) -> tuple[list[tuple[str, ...]], Int64[np.ndarray, " products"]]:
    """Return the distinct category paths, padded to three levels, and each product's; -1 where it has none."""
    if "category" not in products.column_names:
        return [], np.full(len(products), -1, dtype=np.int64)
    category = products.column("category").combine_chunks()
    joined = pc.binary_join(category, "\x1f")
    known = pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined).dictionary_encode()
    paths = [_padded(tuple(path.split("\x1f"))) for path in known.dictionary.to_pylist()]
    index = pc.fill_null(known.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return paths, index


def _padded(path: tuple[str, ...]) -> tuple[str, ...]:
    """Repeat the last level of short paths; two paths never become one, as longer ones keep all their levels."""
    return path + path[-1:] * (_LEVELS - len(path))


def _nearest_known(
    vectors: Float32[np.ndarray, "products dims"], known: Int64[np.ndarray, " products"], *, num_types: int
) -> Int64[np.ndarray, " products"]:
    """Keep known types; give the others the type whose mean vector is nearest."""
    missing = np.flatnonzero(known < 0)
    centres = _centres(vectors[known >= 0], known[known >= 0], num_types)
    completed = known.copy()
    completed[missing] = (vectors[missing] @ centres.T).argmax(axis=1)
    return completed


def _centres(
    vectors: Float32[np.ndarray, "products dims"], group: Int64[np.ndarray, " products"], num_groups: int
) -> Float32[np.ndarray, "groups dims"]:
    totals = np.stack([np.bincount(group, column, num_groups) for column in vectors.T], axis=1)
    length = np.linalg.norm(totals, axis=1, keepdims=True)
    return (totals / np.where(length > 0, length, 1.0)).astype(np.float32)


def _cluster(vectors: Float32[np.ndarray, "products dims"], *, seed: int) -> Int64[np.ndarray, " products"]:
    from sklearn.cluster import MiniBatchKMeans

    num = min(max(len(vectors) // _PRODUCTS_PER_CLUSTER, 1), _MOST_CLUSTERS)
    rng = np.random.default_rng(seed)
    sample = vectors[np.sort(rng.permutation(len(vectors))[:_FIT_ROWS])]
    clusters = MiniBatchKMeans(num, random_state=seed % 2**32, n_init=1, batch_size=4096).fit(sample)
    found = clusters.predict(vectors)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)  # empty clusters leave no gap


def _names(table: WordTable, group: Int64[np.ndarray, " products"], *, unfit: frozenset[str]) -> list[tuple[str, ...]]:
    """Name each group by its most telling phrases of which none holds a word of another."""
    scores = telling_phrases(table, group, banned=unfit)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :_BEST]
    return [
        _distinct_phrases([(table.phrases[column], float(row[column])) for column in order])
        for row, order in zip(scores, best, strict=True)
    ]


def _distinct_phrases(scored: list[tuple[str, float]]) -> tuple[str, ...]:
    least = scored[0][1] * _AS_GOOD if scored else 0.0
    chosen: list[str] = []
    for phrase, score in scored:
        is_new = not any(set(phrase.split()) & set(other.split()) for other in chosen)
        if score > 0 and score >= least and is_new and len(chosen) <= _OTHER_NAMES:
            chosen.append(phrase)
    return tuple(chosen) or (_NAMELESS,)


def _merge(
    cluster: Int64[np.ndarray, " products"], names: list[tuple[str, ...]]
) -> tuple[Int64[np.ndarray, " products"], list[tuple[str, ...]]]:
    """Make one type of all clusters with the same first name."""
    firsts = list(dict.fromkeys(of_cluster[0] for of_cluster in names))
    type_of_cluster = np.array([firsts.index(of_cluster[0]) for of_cluster in names], dtype=np.int64)
    sellers: list[tuple[str, ...]] = [(first,) for first in firsts]
    for kind, of_cluster in zip(type_of_cluster.tolist(), names, strict=True):
        others = [name for name in of_cluster[1:] if name not in firsts]
        sellers[kind] = tuple(dict.fromkeys((*sellers[kind], *others)))[: _OTHER_NAMES + 1]
    return type_of_cluster[cluster], sellers


def _hierarchy(
    vectors: Float32[np.ndarray, "products dims"], type_index: Int64[np.ndarray, " products"], names: list[str]
) -> list[tuple[str, ...]]:
    """Put types into groups and groups into departments, each named after its largest type."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(names) == 1:
        return [(names[0],) * _LEVELS]
    tree = linkage(_centres(vectors, type_index, len(names)), method="ward")
    size = np.bincount(type_index, minlength=len(names))

    def largest(types_per_cluster: int) -> list[str]:
        wanted = max(len(names) // types_per_cluster, 1)
        cluster = fcluster(tree, wanted, criterion="maxclust")
        order = np.lexsort((-size, cluster))
        first = order[np.searchsorted(cluster[order], np.arange(cluster.max() + 1))]
        return [names[first[number]] for number in cluster]

    levels = (largest(_TYPES_PER_DEPARTMENT), largest(_TYPES_PER_GROUP), names)
    return list(zip(*levels, strict=True))


def _description_words(
    products: pa.Table,
    type_index: Int64[np.ndarray, " products"],
    *,
    titles: WordTable,
    sellers: list[tuple[str, ...]],
    unfit: frozenset[str],
) -> tuple[tuple[str, ...], ...]:
    """Find words that a type's descriptions have and its titles do not: as close as a catalogue comes to shoppers'.

    What is some type's name to sellers is no such word.
    """
    num_types = int(type_index.max()) + 1
    if "description" not in products.column_names:
        return ((),) * num_types
    table = with_bigrams(products.column("description").combine_chunks().cast(pa.string()))
    if not table.phrases:
        return ((),) * num_types
    names = {name for of_type in sellers for name in of_type}
    scores = telling_phrases(table, type_index, banned=unfit | names)
    position = {phrase: column for column, phrase in enumerate(titles.phrases)}
    in_titles = _shares(titles, type_index, num_types)
    in_texts = _shares(table, type_index, num_types)
    column = np.array([position.get(phrase, -1) for phrase in table.phrases], dtype=np.int64)
    said = np.where(column >= 0, in_titles[:, column], 0.0)
    fits = (in_texts >= _SAID_IN_DESCRIPTIONS) & (said <= _SAID_IN_TITLES)
    scores = np.where(fits, scores, 0.0)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :_BEST]
    found = [
        _distinct_phrases([(table.phrases[number], float(row[number])) for number in order])
        for row, order in zip(scores, best, strict=True)
    ]
    return tuple(() if phrases == (_NAMELESS,) else phrases for phrases in found)


def _shares(
    table: WordTable, group: Int64[np.ndarray, " products"], num_groups: int
) -> Float32[np.ndarray, "groups phrases"]:
    member = sp.csr_matrix((np.ones(len(group), np.float32), (group, np.arange(len(group)))), (num_groups, len(group)))
    size = np.maximum(np.bincount(group, minlength=num_groups), 1)
    return np.asarray((member @ table.occurs).todense() / size[:, None], np.float32)
