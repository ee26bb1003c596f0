-- Where every input row went. Each section adds up to its `rows`.

INSERT INTO counts
SELECT 'searches', NULL, NULL, 'rows', count(*) FROM raw_searches
UNION ALL
SELECT 'searches', NULL, NULL, split, count(*) FROM searches GROUP BY split;

INSERT INTO counts
SELECT 'queries', NULL, NULL, 'distinct', count(*) FROM queries
UNION ALL
SELECT 'queries', NULL, NULL, 'searches_with_cut_query', count(*) FROM raw_searches WHERE length(query) > $max_chars;

-- Impressions of fresh searches: those that are an outcome by its stage, the same product again in one search, those below the seen
-- window, and those of searches without an action.
INSERT INTO counts
WITH known AS (
    SELECT
        count(*) AS amount,
        count(*) FILTER (WHERE search_index IN (SELECT search_index FROM last_places)) AS with_action
    FROM shown
    WHERE search_index >= 0 AND product_index >= 0
),

kept AS (
    SELECT
        (SELECT count(*) FROM seen)
        -- Acted on, though far above the last action.
        + count(DISTINCT (own_actions.search_index, own_actions.product_index, own_actions.position)) AS amount
    FROM own_actions
    INNER JOIN last_places ON last_places.search_index = own_actions.search_index
    WHERE own_actions.position < last_places.last_place - $skips_above
),

own AS (
    SELECT
        CASE WHEN assisted THEN 0 ELSE stage END AS stage,
        count(*) AS amount
    FROM outcomes
    WHERE position IS NOT NULL AND search_index IN (SELECT search_index FROM fresh)
    GROUP BY ALL
)

SELECT 'impressions', NULL, NULL, 'rows', count(*) FROM shown
UNION ALL
SELECT 'impressions', NULL, NULL, 'unknown_search', count(*) FROM shown WHERE search_index < 0
UNION ALL
SELECT 'impressions', NULL, NULL, 'unknown_product', count(*) FROM shown WHERE search_index >= 0 AND product_index < 0
UNION ALL
SELECT 'impressions', NULL, NULL, 'without_action', amount - with_action FROM known
UNION ALL
SELECT 'impressions', NULL, NULL, 'not_seen', known.with_action - kept.amount FROM known CROSS JOIN kept
UNION ALL
SELECT 'impressions', NULL, NULL, 'shown_again', max(kept.amount) - COALESCE(sum(own.amount), 0)
FROM kept LEFT JOIN own ON TRUE
UNION ALL
SELECT 'impressions', NULL, NULL, stage_names.name, COALESCE(sum(own.amount), 0)
FROM (VALUES (0, 'skipped'), (1, 'clicked'), (2, 'favorited'), (3, 'carted'), (4, 'ordered'))
    AS stage_names(stage, name)
LEFT JOIN own ON own.stage = stage_names.stage
GROUP BY stage_names.name;

INSERT INTO counts
SELECT 'action_times', NULL, NULL, 'rows', count(*) FROM dated_actions
UNION ALL
SELECT 'action_times', NULL, NULL, 'used', count(*) FROM dated_actions
WHERE raw_us >= searched_us AND raw_us <= searched_us + $max_delay_us
UNION ALL
SELECT 'action_times', NULL, NULL, 'used_at_their_search', count(*) FROM dated_actions
WHERE raw_us >= searched_us - $max_skew_us AND raw_us < searched_us
UNION ALL
SELECT 'action_times', NULL, NULL, 'long_before_their_search', count(*) FROM dated_actions
WHERE raw_us < searched_us - $max_skew_us
UNION ALL
SELECT 'action_times', NULL, NULL, 'long_after_their_search', count(*) FROM dated_actions
WHERE raw_us > searched_us + $max_delay_us;

INSERT INTO counts
SELECT 'events', NULL, NULL, 'rows', count(*) FROM outside_events
UNION ALL
SELECT 'events', NULL, NULL, 'without_product', count(*) FROM outside_events WHERE NOT names_product
UNION ALL
SELECT 'events', NULL, NULL, 'unknown_product', count(*) FROM outside_events
WHERE names_product AND product_index IS NULL
UNION ALL
SELECT 'events', NULL, NULL, 'other_action', count(*) FROM outside_events
WHERE product_index IS NOT NULL AND stage IS NULL
UNION ALL
SELECT 'events', NULL, NULL, 'in_history', count(DISTINCT (actor_index, query_index, product_index, stage, happened_us))
FROM outside_events
WHERE product_index IS NOT NULL AND stage IS NOT NULL
UNION ALL
SELECT
    'events', NULL, NULL, 'duplicate',
    count(*) - count(DISTINCT (actor_index, query_index, product_index, stage, happened_us))
FROM outside_events
WHERE product_index IS NOT NULL AND stage IS NOT NULL;

INSERT INTO counts
SELECT 'histories', NULL, NULL, 'rows', count(*) FROM histories
UNION ALL
SELECT 'histories', NULL, NULL, 'longest', COALESCE(max(amount), 0)
FROM (SELECT count(*) AS amount FROM histories GROUP BY actor_index) AS actors_histories;

INSERT INTO counts
SELECT 'products', NULL, NULL, 'rows', count(*) FROM products
UNION ALL
SELECT 'products', NULL, NULL, 'cold', count(*) FROM products
WHERE product_index NOT IN (SELECT product_index FROM edges WHERE weight > 0);

SELECT section, split, band, name, amount FROM counts ORDER BY section, split, band, name;
