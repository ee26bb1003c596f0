-- Does an application count positions from 0 or from 1? Where events meet the logged list, the list tells; elsewhere an
-- ordinal of 0 does.
CREATE TEMP TABLE bases AS
WITH met AS (
    SELECT timed.application, timed.ordinal, list_position(searches.shown, timed.object_id) AS place
    FROM timed LEFT JOIN searches ON searches.search_id = timed.query_id
    WHERE timed.stage IS NOT NULL AND timed.ordinal IS NOT NULL AND NOT timed.is_bot
),
counted AS (
    SELECT application, count(*) FILTER (place = ordinal + 1) AS num_from_0,
        count(*) FILTER (place = ordinal) AS num_from_1,
        min(ordinal) AS lowest
    FROM met GROUP BY application
)
SELECT application, CASE
    WHEN num_from_0 <> num_from_1 THEN CASE WHEN num_from_0 > num_from_1 THEN 0 ELSE 1 END
    WHEN lowest = 0 THEN 0 ELSE 1 END AS base
FROM counted
