SELECT id AS product_id, text AS title FROM texts WHERE file = 'corpus' AND reason IS NULL ORDER BY number
