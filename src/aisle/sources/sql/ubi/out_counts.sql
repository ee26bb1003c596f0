SELECT
    count(*) FILTER (kind = 'event' AND fate = 'impressions' AND stage > 0) AS num_stages,
    count(*) FILTER (is_skewed) AS num_skewed,
    count(*) FILTER (is_attributed) AS num_attributed,
    count(*) FILTER (fate = 'events' AND is_late) AS num_late,
    count(*) FILTER (fate = 'events' AND is_early) AS num_early,
    count(*) FILTER (fate = 'events' AND is_without_query) AS num_without_query,
    count(*) FILTER (fate = 'events' AND NOT is_without_query AND NOT is_known) AS num_unknown_query,
    count(*) FILTER (fate = 'events' AND stage >= 0 AND is_known AND NOT (is_late OR is_early)) AS num_not_shown,
    count(*) FILTER (fate = 'events' AND stage = 4) AS num_orders_outside,
    count(*) FILTER (fate IN ('impressions', 'repeated') AND stage = 4) AS num_orders_joined,
    count(*) FILTER (kind = 'event' AND stage IS NULL AND fate = 'events') AS num_other_actions,
    (SELECT count(*) FROM log_rows WHERE kind = 'bulk') AS num_bulk_lines,
    (SELECT count(*) FROM bots) AS num_bots,
    (SELECT max(num) FROM (SELECT count(*) AS num FROM timed GROUP BY actor)) AS num_of_busiest_actor
FROM fates
