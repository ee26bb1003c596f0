CREATE TEMP TABLE labelled_items AS
WITH texts AS (
    SELECT text_id, min(number) AS number, any_value(title) AS title, any_value(brand) AS brand,
        any_value(seller_name) AS seller_name, any_value(attr_value) AS attr_value
    FROM relevance GROUP BY text_id
),
same AS (
    SELECT texts.text_id, arg_min(items.product_id, items.number) AS product_id
    FROM texts JOIN items ON items.title = texts.title AND items.brand IS NOT DISTINCT FROM texts.brand
        AND items.seller_name IS NOT DISTINCT FROM texts.seller_name
    GROUP BY texts.text_id
)
SELECT texts.*, coalesce(same.product_id, texts.text_id) AS product_id, same.product_id IS NULL AS is_new
FROM texts LEFT JOIN same USING (text_id)
