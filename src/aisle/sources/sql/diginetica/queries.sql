CREATE TEMP TABLE queries AS
WITH numbered AS (SELECT row_number() OVER () AS number, * FROM queries_rows),
checked AS (
    SELECT number, id_of('', queryId) AS search_id, sessionId, id_of('s', sessionId) AS session_id,
        id_of('u', userId) AS user_id, milliseconds(timeframe) AS elapsed_ms, words_of("searchstring.tokens") AS query,
        id_of('c', nullif(trim(categoryId), '0')) AS category, string_split(coalesce(items, ''), ',') AS items,
        upper(trim("is.test")) = 'TRUE' AS is_test,
        CASE WHEN id_of('', queryId) IS NULL THEN 'has no queryId'
            ELSE problem(sessionId, timeframe, eventdate) END AS reason
    FROM numbered
),
copied AS (
    SELECT *, row_number() OVER (PARTITION BY search_id ORDER BY reason IS NOT NULL, number) AS copy FROM checked
)
SELECT copied.*, CASE WHEN reason IS NULL THEN time_of(days.first_day, elapsed_ms) END AS searched_at,
    CASE
        WHEN reason IS NOT NULL THEN 'set aside'
        WHEN copy > 1 THEN 'duplicate'
        WHEN coalesce(is_test, false) THEN 'without published clicks'
        WHEN query IS NULL THEN 'category pages'
        ELSE 'searches'
    END AS fate
FROM copied LEFT JOIN days ON days.sessionId IS NOT DISTINCT FROM copied.sessionId
