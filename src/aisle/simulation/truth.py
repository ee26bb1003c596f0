"""The hidden truth of a generated catalogue: what every product is, before anybody describes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int64

from aisle.core.rng import generator
from aisle.simulation.choices import Chances, zipf_weights
from aisle.simulation.owners import draw_brand_names, draw_within_department
from aisle.simulation.values import ValueTable, varying_attribute
from aisle.simulation.vocabulary import Vocabulary

__all__ = ["PRODUCTS_PER_TYPE", "TYPE_EVENNESS", "CatalogueTruth", "draw_truth"]

PRODUCTS_PER_TYPE = 40
"""A shop stocks one type per this many products, up to all of the vocabulary: small shops sell fewer kinds of things,
and the words of a kind can only be learnt from enough products of it."""

TYPE_EVENNESS = 0.25
"""A small catalogue has a fair number of products of each of its types, so that its words can be learnt from it."""

_PRODUCTS_PER_BRAND = 25
_PRODUCTS_PER_SHOP = 50
_VARIANT_SHARES = (0.7, 0.15, 0.1, 0.05)
"""Shares of models that come as 1, 2, 3 and 4 products."""


@dataclass(frozen=True)
class CatalogueTruth:
    """What each product is. A model is what a maker makes; its variants are products that differ in one value."""

    vocabulary: Vocabulary
    model_index: Int64[np.ndarray, " products"]
    """Model of each product, from 0; non-decreasing in generated catalogues, in any order in real ones."""
    type_index: Int64[np.ndarray, " products"]
    """Type of each product."""
    brand_index: Int64[np.ndarray, " products"]
    """Brand of each product, a position in `brand_names`."""
    shop_index: Int64[np.ndarray, " products"]
    """Shop of each product, from 0."""
    value_index: Int64[np.ndarray, "products attributes"]
    """Position among the attribute's values; -1 where the type does not have the attribute."""
    varies: Bool[np.ndarray, "products attributes"]
    """Whether the variants of the product's model differ in this attribute; all false where it has no variants."""
    brand_names: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of products."""
        return len(self.type_index)

    @cached_property
    def num_shops(self) -> int:
        """Number of shops, up to the last that has a product."""
        return int(self.shop_index.max()) + 1

    @cached_property
    def department_of_type(self) -> Int64[np.ndarray, " types"]:
        """Position of each type's department in the vocabulary's departments."""
        return _department_of_types(self.vocabulary)


def draw_truth(
    vocabulary: Vocabulary, num_products: int, *, seed: int, type_evenness: float = TYPE_EVENNESS
) -> CatalogueTruth:
    """Draw what every product is.

    Types are drawn with uneven popularity, brands and shops of a department by Zipf's law, attribute values evenly
    among those that the type comes in.

    Args:
        vocabulary: What is sold.
        num_products: Rows.
        seed: The same seed gives the same truth.
        type_evenness: Shift of the Zipf law of types, as a share of their number: larger is more even.
    """
    types, attributes = vocabulary.types, vocabulary.attributes
    tables = [ValueTable(attribute, types) for attribute in attributes]
    varying = varying_attribute(tables)
    most_variants = np.stack([table.num_values for table in tables], axis=1)[np.arange(len(types)), varying]
    type_of_model = _draw_types(vocabulary, num_products, evenness=type_evenness, seed=seed)
    model_index, variant = _draw_variants(
        np.where(varying >= 0, most_variants, 1)[type_of_model], rng=generator(seed, "variants")
    )
    type_of_model = type_of_model[: model_index[-1] + 1]
    type_index = type_of_model[model_index]
    has_variants = np.bincount(model_index)[model_index] > 1
    varies = has_variants[:, None] & (varying[type_index][:, None] == np.arange(len(attributes)))

    chances = Chances(seed, model_index)
    value_index = [
        table.draw(type_index, chances.of_model("value", attribute.name), step=variant * varies[:, column])
        for column, (attribute, table) in enumerate(zip(attributes, tables, strict=True))
    ]
    department = _department_of_types(vocabulary)[type_of_model]
    num_departments = len(vocabulary.departments)
    num_brands = max(2 * num_departments, num_products // _PRODUCTS_PER_BRAND)
    num_shops = max(num_departments, num_products // _PRODUCTS_PER_SHOP)
    brand_names = draw_brand_names(vocabulary.wording, num_brands, seed=seed)

    def draw_owners(name: str, num_owners: int) -> Int64[np.ndarray, " products"]:
        rng = generator(seed, name)
        owner = draw_within_department(department, num_owners=num_owners, num_departments=num_departments, rng=rng)
        return owner[model_index]

    return CatalogueTruth(
        vocabulary=vocabulary,
        model_index=model_index,
        type_index=type_index,
        brand_index=draw_owners("brands", len(brand_names)),
        shop_index=draw_owners("shops", num_shops),
        value_index=np.stack(value_index, axis=1),
        varies=varies,
        brand_names=brand_names,
    )


def _department_of_types(vocabulary: Vocabulary) -> Int64[np.ndarray, " types"]:
    position = {name: index for index, name in enumerate(vocabulary.departments)}
    return np.array([position[kind.department] for kind in vocabulary.types], dtype=np.int64)


def _draw_types(vocabulary: Vocabulary, num_models: int, *, evenness: float, seed: int) -> Int64[np.ndarray, " models"]:
    """Choose what the shop stocks, in turns over the departments, then draw the type of each model from it."""
    department = _department_of_types(vocabulary)
    shuffled = generator(seed, "stock").permutation(len(vocabulary.types))
    by_department = shuffled[np.argsort(department[shuffled], kind="stable")]
    sizes = np.bincount(department)
    turn = np.arange(len(shuffled)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    num_stocked = max(1, min(len(shuffled), num_models // PRODUCTS_PER_TYPE))
    stocked = by_department[np.argsort(turn, kind="stable")][:num_stocked]
    by_popularity = generator(seed, "popularity").permutation(stocked)
    weights = zipf_weights(num_stocked, shift=num_stocked * evenness)
    return generator(seed, "types").choice(by_popularity, size=num_models, p=weights)


def _draw_variants(
    most_variants: Int64[np.ndarray, " models"], *, rng: np.random.Generator
) -> tuple[Int64[np.ndarray, " products"], Int64[np.ndarray, " products"]]:
    """Spread as many products as there are models over the first models; return each one's model and variant number."""
    num_products = len(most_variants)
    drawn = 1 + rng.choice(len(_VARIANT_SHARES), size=num_products, p=_VARIANT_SHARES)
    sizes = np.minimum(drawn, most_variants)
    model_index = np.repeat(np.arange(num_products), sizes)[:num_products]
    first = np.cumsum(sizes) - sizes
    return model_index, np.arange(num_products) - first[model_index]
