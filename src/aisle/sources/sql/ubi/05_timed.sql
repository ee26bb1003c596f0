-- Events beside their searches: is the query known, and does the event lie in the window that belongs to the search?
CREATE TEMP TABLE timed AS
SELECT events.number, events.action, events.stage, events.query_id, events.session_id, events.object_id,
    events.object_field, events.ordinal, events.at_us, events.application,
    coalesce(searches.actor, events.actor) AS actor,
    [name FOR name IN [
        'user ' || coalesce(events.user_id, searches.user_id),
        'client ' || coalesce(events.client_id, searches.client_id),
        'session ' || coalesce(events.session_id, searches.session_id)
    ] IF name IS NOT NULL] AS identities, coalesce(searches.query, events.user_query) AS query,
    searches.search_id IS NOT NULL AS is_known, searches.at_us AS searched_at,
    coalesce(events.at_us < searches.at_us - $skew_us, false) AS is_early,
    coalesce(events.at_us > searches.at_us + $late_us, false) AS is_late,
    $drop_bots AND bots.actor IS NOT NULL AS is_bot
FROM first_events AS events
LEFT JOIN searches ON searches.search_id = events.query_id
LEFT JOIN bots ON bots.actor = coalesce(searches.actor, events.actor)
