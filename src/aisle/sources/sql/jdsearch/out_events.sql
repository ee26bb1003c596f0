WITH done AS (
    SELECT number, user_id, unnest(queries) AS query, unnest(products) AS product_id, unnest(kinds) AS kind,
        unnest(pauses[:len(products)]) AS pause, generate_subscripts(products, 1) AS place
    FROM behaviour WHERE reason IS NULL
),
timed AS (
    SELECT *, sum(pause) OVER (PARTITION BY number ORDER BY place) AS elapsed_s FROM done
)
SELECT user_id AS actor_id, make_timestamptz(946684800000000 + CAST(elapsed_s AS BIGINT) * 1000000) AS "at",
    CASE kind WHEN 'ORD' THEN 'order' WHEN 'CLICK' THEN 'click' WHEN 'CART' THEN 'cart' WHEN 'FLW' THEN 'follow'
        ELSE lower(kind) END AS action,
    trim(product_id) AS product_id, CASE WHEN trim(query) <> '-1' THEN words_of(query) END AS query
FROM timed ORDER BY number, place
