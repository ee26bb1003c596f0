"""A world around a real catalogue: its own texts, types, attributes, brands and prices; the rest is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int64

from aisle.core.errors import TableError
from aisle.core.rng import generator
from aisle.simulation.catalogue_styles import CatalogueStyles, find_styles
from aisle.simulation.catalogue_types import CatalogueTypes, find_types
from aisle.simulation.catalogue_values import CatalogueValues, find_values
from aisle.simulation.choices import Chances
from aisle.simulation.clock import LOG_DAYS
from aisle.simulation.lifetimes import draw_lifetimes
from aisle.simulation.loading import load_vocabulary
from aisle.simulation.owners import draw_shop_locations, draw_within_department
from aisle.simulation.prices import price_levels
from aisle.simulation.styles import draw_styles, unit_rows
from aisle.simulation.truth import CatalogueTruth
from aisle.simulation.vocabulary import ProductType, Vocabulary
from aisle.simulation.world import World, draw_quality
from aisle.simulation.world_listing import clock_columns

__all__ = ["complete_catalogue", "world_of_catalogue"]

_NO_BRAND = "unbranded"
_PRODUCTS_PER_SHOP = 50
_PRICE_MEDIAN, _PRICE_SIGMA = 30.0, 0.6
"""Of log-normal prices where a catalogue has none at all."""
_LEAST_PRICE = 0.01
_OF_TEXT, _OF_BRAND, _OF_MODEL = 0.8, 0.4, 0.4
"""What texts, brand and the model itself give to a product's style, before it is scaled to length 1."""


def world_of_catalogue(products: pa.Table, *, seed: int, log_days: int = LOG_DAYS) -> World:
    """Build a world in which this catalogue is sold; row i of the table is product i.

    From the table: types (categories, or clusters of titles), attribute values that its texts mention, brands,
    variants, prices, shops and locations where it has them, and the part of the style that shows in its words. Drawn:
    hidden quality, the rest of the style, lifetimes over the log, and what the table lacks.

    Args:
        products: A validated products table.
        seed: The same seed and table give the same world.
        log_days: Length of the log over which products arrive and go.

    Raises:
        TableError: If the table has no rows, or lacks `product_id` or `title`.
    """
    _check(products)
    types, values = find_types(products, seed=seed), find_values(products)
    styles = find_styles(products, types.type_index, seed=seed)
    price = _prices(products, types.type_index, seed=seed)
    truth = _truth(products, types, values=values, styles=styles, price=price, seed=seed)
    location_index, places = _locations(products, truth, seed=seed)
    vocabulary = truth.vocabulary
    truth = replace(truth, vocabulary=replace(vocabulary, wording=replace(vocabulary.wording, locations=places)))
    arrived_at, removed_at = draw_lifetimes(Chances(seed, truth.model_index), log_days=log_days)
    own = draw_styles(int(truth.model_index.max()) + 1, rng=generator(seed, "style of models"))
    of_brand = draw_styles(len(truth.brand_names), rng=generator(seed, "style of brands"))
    mixed = _OF_TEXT * styles.style + _OF_BRAND * of_brand[truth.brand_index] + _OF_MODEL * own[truth.model_index]
    return World(
        truth=truth,
        department_of_type=truth.department_of_type,
        style=unit_rows(mixed),
        quality=draw_quality(truth.model_index, seed=seed),
        price=price,
        price_level=price_levels(price, truth.type_index),
        location_index=location_index,
        arrived_at=arrived_at,
        removed_at=removed_at,
    )


def complete_catalogue(world: World, products: pa.Table, *, seed: int) -> pa.Table:
    """Return the real table with the columns that the world has and it lacks, and the world's own times and ratings.

    Texts, attributes, categories and brands stay as they are. Prices, shops and locations are filled where they are
    missing. `created_at`, `removed_at`, `updated_at`, `quality_rating` and `quality_num_ratings` are the world's.
    """
    truth = world.truth
    shops = pc.binary_join_element_wise("s", pc.utf8_lpad(pa.array(truth.shop_index).cast(pa.string()), 4, "0"), "")
    places = pa.array(truth.vocabulary.wording.locations, pa.string()).take(pa.array(world.location_index))
    completed = products
    for name, values in {"price": pa.array(world.price), "shop_id": shops, "location": places}.items():
        known = completed.column(name) if name in completed.column_names else None
        completed = _with_column(completed, name, values if known is None else pc.coalesce(known, values))
    for name, values in clock_columns(world, seed=seed).items():
        completed = _with_column(completed, name, values)
    return completed


def _with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, values)
    return table.append_column(name, values)


def _check(products: pa.Table) -> None:
    missing = sorted({"product_id", "title"} - set(products.column_names))
    if missing or not products.num_rows:
        raise TableError(
            "A catalogue must have products with product_id and title",
            received={"rows": products.num_rows, "missing": missing},
            remedy="Give a validated products table.",
        )


def _codes(products: pa.Table, name: str) -> tuple[tuple[str, ...], Int64[np.ndarray, " products"]]:
    """Return the distinct values of a text column and each row's; -1 where it has none."""
    if name not in products.column_names:
        return (), np.full(len(products), -1, dtype=np.int64)
    encoded = products.column(name).combine_chunks().cast(pa.string()).dictionary_encode()
    index = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return tuple(encoded.dictionary.to_pylist()), index


def _prices(
    products: pa.Table, type_index: Int64[np.ndarray, " products"], *, seed: int
) -> Float64[np.ndarray, " products"]:
    """Return the table's prices; the median of its type (of all products) where one is missing."""
    drawn = _PRICE_MEDIAN * np.exp(_PRICE_SIGMA * generator(seed, "prices").standard_normal(len(products)))
    if "price" not in products.column_names or products.column("price").null_count == len(products):
        return drawn.round(2)
    price = pc.fill_null(products.column("price").combine_chunks(), np.nan).to_numpy(zero_copy_only=False)
    price = np.where(price > 0, np.maximum(price, _LEAST_PRICE), np.nan)
    if np.isnan(price).all():
        return drawn.round(2)
    return np.where(np.isnan(price), _type_medians(price, type_index)[type_index], price)


def _type_medians(
    price: Float64[np.ndarray, " products"], type_index: Int64[np.ndarray, " products"]
) -> Float64[np.ndarray, " types"]:
    """Return the median of each type's known prices; the median of all where a type has none."""
    known = np.flatnonzero(~np.isnan(price))
    order = known[np.lexsort((price[known], type_index[known]))]
    num = np.bincount(type_index[known], minlength=int(type_index.max()) + 1)
    middle = np.cumsum(num) - num + num // 2
    medians = price[order[np.minimum(middle, len(order) - 1)]]
    return np.where(num > 0, medians, np.median(price[known]))


def _truth(
    products: pa.Table,
    types: CatalogueTypes,
    *,
    values: CatalogueValues,
    styles: CatalogueStyles,
    price: Float64[np.ndarray, " products"],
    seed: int,
) -> CatalogueTruth:
    brands, brand_index = _codes(products, "brand")
    median = _type_medians(price, types.type_index)
    vocabulary = Vocabulary(
        attributes=values.attributes,
        types=tuple(
            ProductType(sellers, shoppers, path, float(median[number]), _type_values(types, values, number))
            for number, (sellers, shoppers, path) in enumerate(
                zip(types.sellers, types.shoppers, types.paths, strict=True)
            )
        ),
        wording=load_vocabulary().wording,
        style_words=styles.words,
    )
    model_index = _models(products)
    truth = CatalogueTruth(
        vocabulary=vocabulary,
        model_index=model_index,
        type_index=types.type_index,
        brand_index=np.where(brand_index >= 0, brand_index, len(brands)),
        shop_index=np.zeros(len(products), dtype=np.int64),
        value_index=values.value_index,
        varies=_varies(values.value_index, model_index),
        brand_names=(*brands, _NO_BRAND),
    )
    return replace(truth, shop_index=_shops(products, truth, seed=seed))


def _type_values(types: CatalogueTypes, values: CatalogueValues, number: int) -> dict[str, tuple[str, ...]]:
    """Return the values in which products of a type come, by attribute."""
    seen = values.value_index[types.type_index == number]
    found = [np.unique(column[column >= 0]).tolist() for column in seen.T]
    return {
        attribute.name: tuple(attribute.values[position].name for position in positions)
        for attribute, positions in zip(values.attributes, found, strict=True)
        if positions
    }


def _models(products: pa.Table) -> Int64[np.ndarray, " products"]:
    """Return the model of each product: products of one group are variants, the others stand alone."""
    groups, group = _codes(products, "group_id")
    alone = group < 0
    model = np.where(alone, len(groups) + np.cumsum(alone) - 1, group)
    return np.unique(model, return_inverse=True)[1].astype(np.int64)


def _varies(
    value_index: Int64[np.ndarray, "products attributes"], model_index: Int64[np.ndarray, " products"]
) -> Bool[np.ndarray, "products attributes"]:
    shape = (int(model_index.max()) + 1, value_index.shape[1])
    least, most = np.full(shape, np.iinfo(np.int64).max), np.full(shape, -1, dtype=np.int64)
    np.minimum.at(least, model_index, value_index)
    np.maximum.at(most, model_index, value_index)
    return (least != most)[model_index]


def _shops(products: pa.Table, truth: CatalogueTruth, *, seed: int) -> Int64[np.ndarray, " products"]:
    """Return the table's shops; products without one get a shop of their department, by Zipf's law."""
    shops, known = _codes(products, "shop_id")
    num_departments = len(truth.vocabulary.departments)
    department = truth.department_of_type[truth.type_index]
    rng = generator(seed, "shops")
    num_drawn = max(num_departments, len(products) // _PRODUCTS_PER_SHOP)
    drawn = draw_within_department(department, num_owners=num_drawn, num_departments=num_departments, rng=rng)
    return np.where(known >= 0, known, len(shops) + drawn)


def _locations(
    products: pa.Table, truth: CatalogueTruth, *, seed: int
) -> tuple[Int64[np.ndarray, " products"], tuple[str, ...]]:
    """Return each product's location and the names of all; drawn by shop where the table has none."""
    wording = truth.vocabulary.wording
    known_places, known = _codes(products, "location")
    places = tuple(dict.fromkeys((*_by_frequency(known_places, known), *wording.locations)))
    renumber = np.array([places.index(place) for place in known_places] + [-1], dtype=np.int64)
    drawn_places = np.array([places.index(place) for place in wording.locations], dtype=np.int64)
    drawn = drawn_places[draw_shop_locations(wording, truth.num_shops, seed=seed)][truth.shop_index]
    return np.where(known >= 0, renumber[known], drawn), places


def _by_frequency(names: tuple[str, ...], index: Int64[np.ndarray, " products"]) -> list[str]:
    num = np.bincount(index[index >= 0], minlength=len(names))
    return [names[position] for position in np.argsort(-num, kind="stable").tolist()]
