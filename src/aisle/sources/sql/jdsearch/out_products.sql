SELECT product_id, title, brand, shop_id, CASE WHEN len(category) > 0 THEN category END AS category FROM products
