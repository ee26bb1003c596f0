CREATE TEMP TABLE products AS
SELECT trim(wid) AS product_id, words_of(name) AS title, words_of(brand_name) AS brand,
    nullif(trim(shop_id), '') AS shop_id,
    [level FOR level IN [words_of(cate_name_1), words_of(cate_name_2), words_of(cate_name_3), words_of(cate_name_4)]
        IF level IS NOT NULL] AS category
FROM product_rows
