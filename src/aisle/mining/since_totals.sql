-- The counts of products as of the last snapshot that was mined before: the next one goes on from them.

INSERT INTO product_totals
SELECT product_index, impressions, clicks, favorites, carts, orders
FROM read_parquet($mined_statistics, hive_partitioning = false);
