-- Which part of the logging policy showed what, where the log says so: `slot` or `exposed_by` of the impressions.

SELECT
    COALESCE(slot, exposed_by) AS exposed_by,
    count(*) AS impressions,
    count(clicked_at) AS clicks,
    count(ordered_at) AS orders
FROM read_parquet([$impressions, $empty_impressions], union_by_name = true, hive_partitioning = false)
WHERE COALESCE(slot, exposed_by) IS NOT NULL
GROUP BY ALL
ORDER BY impressions DESC, exposed_by
LIMIT 20;
