SELECT product_id, title, brand, shop_id, category, seller_name, NULL::MAP(VARCHAR, VARCHAR) AS attributes
FROM (SELECT * FROM items ORDER BY number)
UNION ALL
SELECT product_id, title, brand, NULL, NULL, seller_name,
    CASE WHEN attr_value IS NOT NULL THEN MAP {'attributes': attr_value} END
FROM (SELECT * FROM labelled_items WHERE is_new ORDER BY number)
