-- Labels name the text of an item, not its id: an item with the same title, brand and seller is meant. `score` is
-- called `label` in some files.
CREATE TEMP TABLE relevance AS
WITH fields AS (
    SELECT number, json_extract_string(line, ['$.query', '$.item_title', '$.brand', '$.seller_name', '$.attr_value',
        '$.score', '$.label']) AS field
    FROM lines WHERE reason IS NULL
)
SELECT number, field[1] AS query, field[2] AS title, nullif(field[3], '') AS brand, nullif(field[4], '') AS seller_name,
    nullif(field[5], '') AS attr_value, coalesce(field[6], field[7]) AS grade,
    'relevance:' || md5(concat_ws(chr(31), field[2], coalesce(field[3], ''), coalesce(field[4], ''),
        coalesce(field[5], '')))[:16]
        AS text_id
FROM fields
