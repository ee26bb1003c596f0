-- Clicks, orders and views, with the impression that each belongs to, where it has one.
CREATE TEMP TABLE acted AS
WITH numbered_clicks AS (SELECT row_number() OVER () AS number, * FROM clicks_rows),
clicks AS (
    SELECT 'clicks' AS file, 'click' AS action, numbered_clicks.number, id_of('', itemId) AS product_id,
        queries.search_id, queries.query, queries.user_id, queries.session_id,
        CASE WHEN queries.searched_at IS NOT NULL AND milliseconds(timeframe) IS NOT NULL THEN greatest(
            queries.searched_at, time_of(days.first_day, milliseconds(timeframe))) END AS happened_at,
        CASE
            WHEN id_of('', itemId) IS NULL THEN 'has no itemId'
            WHEN queries.search_id IS NULL THEN 'names no query'
            WHEN milliseconds(timeframe) IS NULL THEN 'has a timeframe that is no number of milliseconds'
        END AS reason
    FROM numbered_clicks
    LEFT JOIN queries ON queries.search_id = id_of('', queryId) AND queries.copy = 1 AND queries.reason IS NULL
    LEFT JOIN days ON days.sessionId = queries.sessionId
),
others AS (
    SELECT 'purchases' AS file, 'order' AS action, row_number() OVER () AS number, sessionId, userId, timeframe, eventdate,
        itemId FROM purchases_rows
    UNION ALL
    SELECT 'views', 'view', row_number() OVER (), sessionId, userId, timeframe, eventdate, itemId FROM views_rows
),
dated AS (
    SELECT file, action, number, id_of('', itemId) AS product_id, id_of('u', userId) AS user_id,
        id_of('s', others.sessionId) AS session_id, coalesce(problem(others.sessionId, timeframe, eventdate),
            CASE WHEN id_of('', itemId) IS NULL THEN 'has no itemId' END) AS reason,
        time_of(days.first_day, milliseconds(timeframe)) AS happened_at
    FROM others LEFT JOIN days ON days.sessionId IS NOT DISTINCT FROM others.sessionId
),
last_shown AS (
    SELECT dated.number, arg_max(shown.search_id, (shown.searched_at, shown.number)) AS search_id
    FROM dated JOIN shown ON shown.session_id = dated.session_id AND shown.product_id = dated.product_id
        AND shown.searched_at <= dated.happened_at
    WHERE dated.file = 'purchases' AND dated.reason IS NULL
    GROUP BY dated.number
),
together AS (
    SELECT file, action, number, product_id, search_id, query, user_id, session_id, happened_at, reason FROM clicks
    UNION ALL
    SELECT dated.file, action, dated.number, product_id, last_shown.search_id, NULL, user_id, session_id, happened_at,
        reason
    FROM dated LEFT JOIN last_shown ON dated.file = 'purchases' AND last_shown.number = dated.number
),
placed AS (
    SELECT together.*, shown.search_id IS NOT NULL AND together.reason IS NULL AS is_shown,
        row_number() OVER (PARTITION BY file, together.search_id, together.product_id, together.reason IS NULL
            ORDER BY happened_at, together.number) AS place
    FROM together LEFT JOIN shown USING (search_id, product_id)
)
SELECT *, CASE
        WHEN reason IS NOT NULL THEN 'set aside'
        WHEN NOT is_shown THEN 'events'
        WHEN place > 1 THEN 'repeated'
        ELSE 'joined to their impressions'
    END AS fate
FROM placed
