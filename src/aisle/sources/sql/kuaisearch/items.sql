-- Missing brands, sellers and categories are written 0 or "UNKNOWN".
CREATE TEMP TABLE items AS
WITH fields AS (
    SELECT number, json_extract_string(line, ['$.item_id', '$.item_title', '$.brand_id', '$.brand_name', '$.seller_id',
        '$.seller_name', '$.category_level1_name', '$.category_level2_name', '$.category_level3_name']) AS field
    FROM lines WHERE reason IS NULL
),
cleaned AS (
    SELECT number, field[1] AS item_id, field[2] AS title, nullif(nullif(field[3], '0'), 'UNKNOWN') AS brand_id,
        nullif(nullif(field[4], 'UNKNOWN'), '') AS brand_name, nullif(nullif(field[5], '0'), 'UNKNOWN') AS seller_id,
        nullif(nullif(field[6], 'UNKNOWN'), '') AS seller_name,
        [level FOR level IN field[7:9] IF level IS NOT NULL AND level NOT IN ('', '0', 'UNKNOWN')] AS category
    FROM fields
)
SELECT number, item_id AS product_id, title, CASE WHEN brand_id IS NOT NULL THEN brand_name END AS brand,
    seller_id AS shop_id, seller_name, CASE WHEN len(category) > 0 THEN category END AS category
FROM cleaned
