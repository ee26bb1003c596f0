-- One search per query id, the first one logged. Queries carry no session, and often no user: the first event of the
-- search tells them.
CREATE TEMP TABLE searches AS
WITH firsts AS (
    SELECT min(number) AS number FROM log_rows WHERE kind = 'query' AND reason IS NULL GROUP BY query_id
),
known AS (
    SELECT query_id, arg_min(user_id, number) AS user_id, arg_min(client_id, number) AS client_id,
        arg_min(session_id, number) AS session_id
    FROM first_events WHERE query_id IS NOT NULL GROUP BY query_id
)
SELECT number, query_id AS search_id, user_query AS query, at_us, application, shown,
    coalesce(log_rows.user_id, known.user_id) AS user_id,
    coalesce(log_rows.client_id, known.client_id) AS client_id,
    coalesce(log_rows.session_id, known.session_id) AS session_id,
    coalesce(log_rows.user_id, known.user_id, log_rows.client_id, known.client_id, log_rows.session_id,
        known.session_id) AS actor
FROM log_rows SEMI JOIN firsts USING (number) LEFT JOIN known USING (query_id)
