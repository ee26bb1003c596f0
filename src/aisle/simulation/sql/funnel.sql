WITH clicks AS (
    SELECT count(*) AS clicks, count(*) FILTER (position = 1) AS firsts, count(*) FILTER (position = 2) AS seconds,
        count(carted_at) AS carts, count(ordered_at) AS orders,
        count(*) FILTER (carted_at IS NOT NULL AND ordered_at IS NOT NULL) AS ordered_carts
    FROM impressions WHERE clicked_at IS NOT NULL
),
pages AS (
    SELECT count(*) AS searches, CAST(sum(shown) AS BIGINT) AS impressions,
        avg(CAST(clicks > 0 AS INTEGER)) AS searches_with_click, avg(CAST(orders > 0 AS INTEGER)) AS searches_with_order
    FROM reached
)
SELECT pages.*, firsts / nullif(clicks, 0) AS click_share_first, seconds / nullif(clicks, 0) AS click_share_second,
    carts / nullif(clicks, 0) AS carts_per_click, ordered_carts / nullif(carts, 0) AS orders_per_cart,
    orders / nullif(clicks, 0) AS orders_per_click
FROM pages CROSS JOIN clicks
