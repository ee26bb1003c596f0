SELECT trim(products_rows.itemId) AS product_id, words_of("product.name.tokens") AS title,
    CASE WHEN TRY_CAST(pricelog2 AS DOUBLE) BETWEEN -60 AND 60 THEN pow(2, TRY_CAST(pricelog2 AS DOUBLE)) END AS price,
    CASE WHEN known.category IS NOT NULL THEN [known.category] END AS category
FROM (SELECT row_number() OVER () AS number, * FROM products_rows) AS products_rows
LEFT JOIN (
    SELECT trim(itemId) AS itemId, min_by(id_of('c', categoryId), number) AS category
    FROM (SELECT row_number() OVER () AS number, * FROM categories_rows) GROUP BY trim(itemId)
) AS known ON known.itemId = trim(products_rows.itemId)
ORDER BY products_rows.number
