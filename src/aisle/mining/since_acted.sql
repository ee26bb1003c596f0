-- Impressions that were acted on, of all searches: few of many rows, so that they are found without numbering the rest.

CREATE TABLE acted AS
SELECT
    searches.search_index,
    searches.searched_us,
    products.product_index,
    impressions.position,
    impressions.propensity::FLOAT AS propensity,
    epoch_us(impressions.clicked_at) AS clicked_us,
    epoch_us(impressions.favorited_at) AS favorited_us,
    epoch_us(impressions.carted_at) AS carted_us,
    epoch_us(impressions.ordered_at) AS ordered_us,
    impressions.stage
FROM read_parquet([$impressions, $empty_impressions], union_by_name = true, hive_partitioning = false) AS impressions
INNER JOIN searches ON searches.search_id = impressions.search_id
INNER JOIN products ON products.product_id = impressions.product_id
WHERE
    COALESCE(
        impressions.clicked_at, impressions.favorited_at, impressions.carted_at, impressions.ordered_at
    ) IS NOT NULL
    OR impressions.stage IN ('clicked', 'favorited', 'carted', 'ordered');
