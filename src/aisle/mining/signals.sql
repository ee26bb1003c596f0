-- What makes edges: every stage that a product reached for a query, with its weight and its time. And how often each
-- slice showed each product.

CREATE TABLE stage_weights AS
SELECT * FROM (VALUES
    (1::TINYINT, $clicked_weight::DOUBLE), (2, $favorited_weight), (3, $carted_weight), (4, $ordered_weight)
) AS weights(stage, weight);

CREATE TABLE signals AS
SELECT
    parts.query_index,
    parts.product_index,
    parts.happened_us,
    parts.discount * stage_weights.weight AS weight
FROM (
    SELECT query_index, product_index, stage, happened_us, 1.0 AS discount FROM actions
    UNION ALL
    SELECT query_index, product_index, stage, happened_us, $discount AS discount FROM assists WHERE $graph_assisted
) AS parts
INNER JOIN stage_weights ON stage_weights.stage = parts.stage
WHERE parts.happened_us < $train_end AND stage_weights.weight > 0;

CREATE TABLE shown_in_slices AS
SELECT
    snapshot,
    product_index,
    count(*) AS impressions
FROM shown
WHERE search_index >= 0 AND product_index >= 0
GROUP BY snapshot, product_index;

CREATE TABLE product_totals (
    product_index INTEGER, impressions BIGINT, clicks BIGINT, favorites BIGINT, carts BIGINT, orders BIGINT
);

CREATE TABLE query_totals (query_index INTEGER, searches BIGINT);

CREATE TABLE bands (snapshot TINYINT, query_index INTEGER, searches BIGINT, band VARCHAR);
