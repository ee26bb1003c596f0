-- `categories` is a list of paths (2014), `category` one path (2018); a description may be a list.
SELECT line ->> '$.asin' AS product_id, line ->> '$.title' AS title,
    CASE json_type(line, '$.description')
        WHEN 'ARRAY' THEN nullif(array_to_string(CAST(line -> '$.description' AS VARCHAR[]), ' '), '')
        ELSE line ->> '$.description' END AS description,
    nullif(line ->> '$.brand', '') AS brand,
    nullif(replace(ltrim(line ->> '$.price', '$ '), ',', ''), '') AS price,
    CASE
        WHEN json_type(line, '$.categories[0]') = 'ARRAY' THEN CAST(line -> '$.categories[0]' AS VARCHAR[])
        WHEN json_type(line, '$.category') = 'ARRAY' AND json_array_length(line, '$.category') > 0
            THEN CAST(line -> '$.category' AS VARCHAR[])
    END AS category
FROM lines WHERE reason IS NULL ORDER BY number
