-- The examples of split $split, one row a search in the order of time, with pointers into its outcomes and its
-- actor's history; the outcomes; and their counts. A query that no search before the snapshot had is unseen.

CREATE OR REPLACE TABLE split_searches AS
SELECT
    searches.search_index,
    searches.searched_us,
    searches.actor_index,
    COALESCE(bands.band, 'unseen') AS band
FROM searches
LEFT JOIN bands ON bands.snapshot = searches.snapshot AND bands.query_index = searches.query_index
WHERE searches.split = $split;

CREATE OR REPLACE TABLE split_outcomes AS
SELECT
    outcomes.search_index,
    outcomes.product_index,
    outcomes.stage,
    outcomes.position,
    outcomes.propensity,
    outcomes.reached_us,
    outcomes.assisted,
    split_searches.band,
    COALESCE(first_orders.ordered_us < split_searches.searched_us, FALSE) AS repeated
FROM outcomes
INNER JOIN split_searches ON split_searches.search_index = outcomes.search_index
LEFT JOIN first_orders
    ON first_orders.actor_index = split_searches.actor_index
    AND first_orders.product_index = outcomes.product_index;

COPY (
    SELECT
        split_outcomes.product_index,
        split_outcomes.stage,
        stage_grades.grade,
        CASE WHEN split_outcomes.assisted THEN $discount ELSE 1.0 END::FLOAT AS weight,
        split_outcomes.assisted,
        split_outcomes.position,
        split_outcomes.propensity,
        make_timestamptz(split_outcomes.reached_us) AS reached_at,
        split_outcomes.repeated
    FROM split_outcomes
    INNER JOIN stage_grades ON stage_grades.stage = split_outcomes.stage
    ORDER BY split_outcomes.search_index, split_outcomes.position, split_outcomes.product_index
) TO $outcomes (FORMAT parquet, COMPRESSION zstd);

CREATE OR REPLACE TABLE outcome_ends AS
SELECT
    split_searches.search_index,
    COALESCE(counted.num_outcomes, 0) AS num_outcomes,
    sum(COALESCE(counted.num_outcomes, 0)) OVER (ORDER BY split_searches.search_index ROWS UNBOUNDED PRECEDING)
        ::BIGINT AS outcome_end
FROM split_searches
LEFT JOIN (
    SELECT
        search_index,
        count(*) AS num_outcomes
    FROM split_outcomes
    GROUP BY search_index
) AS counted ON counted.search_index = split_searches.search_index;

COPY (
    SELECT
        searches.search_id,
        searches.snapshot,
        searches.query_index,
        split_searches.band,
        searches.actor_index,
        searches.actor_kind,
        make_timestamptz(searches.searched_us) AS searched_at,
        searches.location,
        COALESCE(history_ends.history_start, 0)::BIGINT AS history_start,
        COALESCE(history_ends.history_end, 0)::BIGINT AS history_end,
        outcome_ends.outcome_end - outcome_ends.num_outcomes AS outcome_start,
        outcome_ends.outcome_end
    FROM split_searches
    INNER JOIN searches ON searches.search_index = split_searches.search_index
    INNER JOIN outcome_ends ON outcome_ends.search_index = split_searches.search_index
    LEFT JOIN history_ends ON history_ends.search_index = split_searches.search_index
    ORDER BY split_searches.search_index
) TO $examples (FORMAT parquet, COMPRESSION zstd);

INSERT INTO counts
SELECT 'splits', $split, band, 'searches', count(*) FROM split_searches GROUP BY band;

INSERT INTO counts
SELECT 'splits', $split, band, stage_names.name, count(*)
FROM split_outcomes
INNER JOIN (VALUES (0, 'skipped'), (1, 'clicked'), (2, 'favorited'), (3, 'carted'), (4, 'ordered'))
    AS stage_names(stage, name) ON stage_names.stage = split_outcomes.stage
WHERE NOT split_outcomes.assisted
GROUP BY band, stage_names.name
UNION ALL
SELECT 'splits', $split, band, 'assisted', count(*) FROM split_outcomes WHERE assisted GROUP BY band
UNION ALL
SELECT 'splits', $split, band, 'repeat_orders', count(*)
FROM split_outcomes
WHERE stage = 4 AND repeated AND NOT assisted
GROUP BY band
UNION ALL
SELECT 'splits', $split, band, 'cold_positives', count(*)
FROM split_outcomes
WHERE stage > 0 AND product_index NOT IN (SELECT product_index FROM edges WHERE weight > 0)
GROUP BY band
UNION ALL
SELECT 'splits', $split, band, 'searches_with_positive', count(DISTINCT search_index)
FROM split_outcomes WHERE stage > 0
GROUP BY band;
