-- Counts and sums of hashes over what lies before $before_us, the end of a training window with $before_slices slices:
-- what was mined of it serves a longer log exactly where all of these are the same.

SELECT
    'searches' AS part,
    count(*) AS amount,
    COALESCE(sum(hash(search_index, search_id, query_index, actor_index, session_id, split)::HUGEINT), 0)::VARCHAR
        AS content
FROM searches
WHERE searched_us < $before_us
UNION ALL
SELECT
    'actions',
    count(*),
    COALESCE(sum(hash(search_index, product_index, position, propensity, stage, happened_us)::HUGEINT), 0)::VARCHAR
FROM actions
WHERE happened_us < $before_us
UNION ALL
SELECT 'products', count(*), COALESCE(sum(hash(product_index, product_id)::HUGEINT), 0)::VARCHAR
FROM products
WHERE product_index < $before_products
UNION ALL
SELECT 'impressions', amount - (SELECT count(*) FROM shown WHERE snapshot >= $before_slices), ''
FROM (SELECT count(*) AS amount FROM read_parquet($impressions, hive_partitioning = false)) AS all_impressions
UNION ALL
-- Of the whole log, so that a day is not mined twice.
SELECT 'log', count(*), max(searched_us)::VARCHAR FROM searches;
