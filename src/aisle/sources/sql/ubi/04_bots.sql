-- Actors that search faster than people do, or often and never click.
CREATE TEMP TABLE bots AS
WITH fast AS (
    SELECT actor FROM searches WHERE actor IS NOT NULL
    GROUP BY actor, at_us // 3600000000 HAVING count(*) > $searches_per_hour
),
clickers AS (
    SELECT DISTINCT coalesce(searches.actor, events.actor) AS actor
    FROM first_events AS events LEFT JOIN searches ON searches.search_id = events.query_id
    WHERE events.stage > 0
),
without_click AS (
    SELECT actor FROM searches ANTI JOIN clickers USING (actor) WHERE actor IS NOT NULL
    GROUP BY actor HAVING count(*) >= $searches_without_click
)
SELECT actor, bool_or(rule = 'fast') AS is_fast, bool_or(rule = 'without click') AS is_without_click
FROM (SELECT DISTINCT actor, 'fast' AS rule FROM fast UNION ALL SELECT actor, 'without click' FROM without_click)
GROUP BY actor
