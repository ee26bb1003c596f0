-- Impressions by numbers: all of them with the little that negatives need, and those that were acted on with their
-- times. -1 stands for a search or product that is not there. The ids are joined once: the second table finds its rows
-- in the first by their place in the file. All searches are fresh: `since_shown.sql` is for a log that was mined before.

CREATE TABLE shown AS
SELECT
    COALESCE(searches.search_index, -1)::INTEGER AS search_index,
    COALESCE(products.product_index, -1)::INTEGER AS product_index,
    searches.snapshot,
    impressions.position,
    impressions.propensity::FLOAT AS propensity,
    impressions.file_row_number AS place_in_file
FROM read_parquet(
    [$impressions, $empty_impressions], union_by_name = true, hive_partitioning = false, file_row_number = true
) AS impressions
LEFT JOIN searches ON searches.search_id = impressions.search_id
LEFT JOIN products ON products.product_id = impressions.product_id;

CREATE TABLE acted AS
SELECT
    shown.search_index,
    searches.searched_us,
    shown.product_index,
    shown.position,
    shown.propensity,
    epoch_us(impressions.clicked_at) AS clicked_us,
    epoch_us(impressions.favorited_at) AS favorited_us,
    epoch_us(impressions.carted_at) AS carted_us,
    epoch_us(impressions.ordered_at) AS ordered_us,
    impressions.stage
FROM read_parquet(
    [$impressions, $empty_impressions], union_by_name = true, hive_partitioning = false, file_row_number = true
) AS impressions
INNER JOIN shown ON shown.place_in_file = impressions.file_row_number
INNER JOIN searches ON searches.search_index = shown.search_index
WHERE
    shown.product_index >= 0
    AND (
        COALESCE(
            impressions.clicked_at, impressions.favorited_at, impressions.carted_at, impressions.ordered_at
        ) IS NOT NULL
        OR impressions.stage IN ('clicked', 'favorited', 'carted', 'ordered')
    );

CREATE VIEW fresh AS SELECT search_index FROM searches;
