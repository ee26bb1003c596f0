-- What the other searches came to, as it was mined before.

INSERT INTO outcomes
SELECT
    searches.search_index,
    mined_outcomes.product_index,
    mined_outcomes.position,
    mined_outcomes.propensity,
    mined_outcomes.stage,
    epoch_us(mined_outcomes.reached_at),
    mined_outcomes.assisted
FROM (
    SELECT search_id, unnest(range(outcome_start, outcome_end)) AS place
    FROM read_parquet($mined_examples, hive_partitioning = false)
) AS mined_examples
INNER JOIN read_parquet($mined_outcomes, hive_partitioning = false, file_row_number = true) AS mined_outcomes
    ON mined_outcomes.file_row_number = mined_examples.place
INNER JOIN searches ON searches.search_id = mined_examples.search_id
WHERE searches.search_index NOT IN (SELECT search_index FROM fresh);
