-- Every actor's past: the dated actions on shown products, and behaviour outside a shown list. One numbered row an
-- event, an actor's rows beside each other, in the order of time.

CREATE TABLE stage_of_action AS
SELECT unnest($actions) AS action, unnest($action_stages)::TINYINT AS stage;

CREATE TABLE outside_events AS
SELECT
    actors.actor_index,
    products.product_index,
    stage_of_action.stage,
    raw_events.product_id IS NOT NULL AS names_product,
    raw_events.happened_us,
    -- The query of its own, else of the search that it names, unless that lies after it.
    COALESCE(
        query_of_spelling.query_index,
        CASE WHEN searches.searched_us <= raw_events.happened_us THEN searches.query_index END,
        -1
    ) AS query_index
FROM raw_events
INNER JOIN actors ON actors.actor_id = raw_events.actor_id
LEFT JOIN products ON products.product_id = raw_events.product_id
LEFT JOIN stage_of_action ON stage_of_action.action = raw_events.action
LEFT JOIN query_of_spelling ON query_of_spelling.query = raw_events.query
LEFT JOIN searches ON searches.search_id = raw_events.search_id;

CREATE TABLE histories AS
SELECT
    row_number() OVER (ORDER BY actor_index, happened_us, query_index, product_index, stage) - 1 AS place,
    actor_index,
    query_index,
    product_index,
    stage,
    happened_us
FROM (
    -- Not UNION ALL: what was logged twice at one instant happened once.
    SELECT actor_index, query_index, product_index, stage, happened_us FROM actions WHERE actor_index >= 0
    UNION
    SELECT actor_index, query_index, product_index, stage, happened_us FROM outside_events
    WHERE product_index IS NOT NULL AND stage IS NOT NULL
) AS dated;

COPY (
    SELECT
        actor_index,
        query_index::INTEGER AS query_index,
        product_index::INTEGER AS product_index,
        stage::TINYINT AS stage,
        make_timestamptz(happened_us) AS "at"
    FROM histories
    ORDER BY place
) TO $histories (FORMAT parquet, COMPRESSION zstd);

-- Where the history of each search ends: at the last event strictly before it.
CREATE TABLE history_ends AS
WITH instants AS (
    SELECT actor_index, happened_us, max(place) + 1 AS history_end FROM histories GROUP BY actor_index, happened_us
),

begins AS (
    SELECT actor_index, min(place) AS actor_start FROM histories GROUP BY actor_index
)

SELECT
    searches.search_index,
    instants.history_end,
    greatest(begins.actor_start, instants.history_end - $history_size) AS history_start
FROM searches
ASOF INNER JOIN instants
    ON instants.actor_index = searches.actor_index AND instants.happened_us < searches.searched_us
INNER JOIN begins ON begins.actor_index = searches.actor_index;

CREATE TABLE first_orders AS
SELECT actor_index, product_index, min(happened_us) AS ordered_us
FROM histories WHERE stage = 4
GROUP BY actor_index, product_index;
