-- Searches to be labelled anew: those at or after $fresh_us, where the training window that was mined ended, and
-- earlier ones with an action, of their own or assisting them, at or after it. And the impressions of these alone.

CREATE TABLE fresh AS
SELECT search_index FROM searches WHERE searched_us >= $fresh_us
UNION
SELECT search_index FROM actions WHERE happened_us >= $fresh_us
UNION
SELECT search_index FROM assists WHERE happened_us >= $fresh_us;

CREATE TABLE shown AS
SELECT
    searches.search_index,
    COALESCE(products.product_index, -1)::INTEGER AS product_index,
    searches.snapshot,
    impressions.position,
    impressions.propensity::FLOAT AS propensity
FROM read_parquet([$impressions, $empty_impressions], union_by_name = true, hive_partitioning = false) AS impressions
INNER JOIN (
    SELECT * FROM searches WHERE search_index IN (SELECT search_index FROM fresh)
) AS searches ON searches.search_id = impressions.search_id
LEFT JOIN products ON products.product_id = impressions.product_id;
