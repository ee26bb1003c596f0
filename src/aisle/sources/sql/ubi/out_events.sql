-- Only an object that is named as products are named is a product: filters and pages have objects too.
SELECT timed.actor AS actor_id, make_timestamptz(timed.at_us) AS "at", timed.action,
    CASE WHEN fates.has_product THEN timed.object_id END AS product_id, timed.query, timed.query_id AS search_id,
    timed.session_id, CASE WHEN NOT fates.has_product THEN timed.object_id END AS object_id
FROM timed JOIN fates USING (number)
WHERE fates.fate = 'events'
ORDER BY timed.number
