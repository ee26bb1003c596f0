-- Products as of $snapshot_us: the counts of the snapshot before, and what has happened since
-- $previous_us, in the slice before the snapshot.

CREATE OR REPLACE TABLE product_totals AS
SELECT
    product_index,
    sum(impressions)::BIGINT AS impressions,
    sum(clicks)::BIGINT AS clicks,
    sum(favorites)::BIGINT AS favorites,
    sum(carts)::BIGINT AS carts,
    sum(orders)::BIGINT AS orders
FROM (
    SELECT * FROM product_totals
    UNION ALL
    SELECT product_index, impressions, 0, 0, 0, 0
    FROM shown_in_slices
    WHERE snapshot = $snapshot - 1
    UNION ALL
    SELECT
        product_index,
        0,
        count(*) FILTER (WHERE stage = 1),
        count(*) FILTER (WHERE stage = 2),
        count(*) FILTER (WHERE stage = 3),
        count(*) FILTER (WHERE stage = 4)
    FROM actions
    WHERE happened_us >= $previous_us AND happened_us < $snapshot_us
    GROUP BY product_index
) AS parts
GROUP BY product_index;

COPY (
    WITH mean AS (
        SELECT
            sum(clicks)::DOUBLE / sum(impressions) AS click_rate,
            sum(orders)::DOUBLE / sum(impressions) AS order_rate
        FROM product_totals
    )

    SELECT
        product_totals.product_index,
        product_totals.impressions::INTEGER AS impressions,
        product_totals.clicks::INTEGER AS clicks,
        product_totals.favorites::INTEGER AS favorites,
        product_totals.carts::INTEGER AS carts,
        product_totals.orders::INTEGER AS orders,
        ((product_totals.clicks + $prior * mean.click_rate) / (product_totals.impressions + $prior))::FLOAT
            AS click_rate,
        ((product_totals.orders + $prior * mean.order_rate) / (product_totals.impressions + $prior))::FLOAT
            AS order_rate
    FROM product_totals CROSS JOIN mean
    ORDER BY product_totals.product_index
) TO $statistics (FORMAT parquet, COMPRESSION zstd);
