-- Events without copies: one is kept where action, query, actor, object, ordinal and time agree. Of actions without a
-- stage, whose meaning is not known, only identical documents count as copies.
CREATE TEMP TABLE first_events AS
WITH firsts AS (
    SELECT min(number) AS number FROM log_rows WHERE kind = 'event' AND reason IS NULL
    GROUP BY action, query_id, user_id, client_id, session_id, object_id, ordinal, at_us,
        CASE WHEN stage IS NULL THEN mark END
)
SELECT number, action, stage, query_id, user_query, user_id, client_id, session_id,
    coalesce(user_id, client_id, session_id) AS actor, at_us, application, object_id, object_field, ordinal
FROM log_rows SEMI JOIN firsts USING (number)
