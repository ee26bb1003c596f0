-- One row per search: how far its impressions came. Searches without a page count as well.
CREATE OR REPLACE TEMP TABLE reached AS
WITH pages AS (
    SELECT search_id, count(*) AS shown, count(clicked_at) AS clicks, count(carted_at) AS carts,
        count(ordered_at) AS orders
    FROM impressions GROUP BY search_id
)
SELECT s.session_id, s.query, s.searched_at,
    coalesce(s.user_id, s.client_id) AS known_actor, coalesce(s.user_id, s.client_id, s.session_id) AS actor,
    coalesce(p.shown, 0) AS shown, coalesce(p.clicks, 0) AS clicks, coalesce(p.carts, 0) AS carts,
    coalesce(p.orders, 0) AS orders
FROM searches AS s LEFT JOIN pages AS p USING (search_id);
