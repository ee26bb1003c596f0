-- One search per line. A session may hold several searches, so that the order number belongs to the id; a line that
-- says the same as an earlier one is a duplicate, and other lines with the same id get a number of their own.
CREATE TEMP TABLE recall AS
WITH fields AS (
    SELECT number, hash(line) AS mark, json_extract_string(line, ['$.user_id', '$.session_id', '$.time_index',
        '$.query',
        '$.split', '$.impressed_item_ids', '$.clicked_item_ids', '$.purchased_item_ids']) AS field
    FROM lines WHERE reason IS NULL
),
named AS (
    SELECT number, mark, field[1] AS user_id, field[2] AS session_id, TRY_CAST(field[3] AS BIGINT) AS time_index,
        field[4] AS query, lower(field[5]) AS split,
        CAST(CAST(field[6] AS JSON) AS VARCHAR[]) AS impressed, CAST(CAST(field[7] AS JSON) AS VARCHAR[]) AS clicked,
        CAST(CAST(field[8] AS JSON) AS VARCHAR[]) AS purchased,
        concat_ws('-', field[1], field[2], field[3]) AS key
    FROM fields
),
copied AS (SELECT *, row_number() OVER (PARTITION BY key, mark ORDER BY number) AS copy FROM named),
numbered AS (
    SELECT *, CASE WHEN copy = 1 THEN row_number() OVER (PARTITION BY key, copy ORDER BY number) END AS version
    FROM copied
)
SELECT * EXCLUDE (key, version, mark), CASE WHEN version = 1 THEN key ELSE concat_ws('-', key, version) END AS search_id
FROM numbered
