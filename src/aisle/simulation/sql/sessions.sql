-- A search without a session is a session of its own.
WITH sessions AS (
    SELECT count(*) AS searches, count(DISTINCT query) AS queries, sum(orders) AS orders
    FROM reached GROUP BY session_id, CASE WHEN session_id IS NULL THEN rowid END
),
days AS (
    SELECT actor, CAST(searched_at AS DATE) AS day, 1 AS searches FROM reached
    UNION ALL
    SELECT actor_id, CAST("at" AS DATE), 0 FROM events
),
traces AS (SELECT max(searches) AS searches FROM days GROUP BY actor, day)
SELECT avg(CAST(orders > 0 AS INTEGER)) AS orders_per_search_session,
    avg(CAST(searches = 1 AS INTEGER)) AS one_search_sessions,
    avg(CAST(queries > 1 AS INTEGER)) AS reworded_sessions,
    (SELECT avg(CAST(known_actor IS NULL AS INTEGER)) FROM reached) AS anonymous_share,
    (SELECT avg(CAST(searches = 0 AS INTEGER)) FROM traces) AS searchless_days
FROM sessions
