-- Events that concern a product shown by their search. Carts, favourites and orders without a query id belong to the
-- last click of the product by the same user, client or session, if that was not too long ago: a basket may know the
-- client alone, a click the user too.
CREATE TEMP TABLE acted AS
WITH direct AS (
    SELECT timed.number, timed.stage, timed.identities, shown.search_id, shown.product_id, timed.searched_at,
        timed.at_us, false AS is_attributed
    FROM timed JOIN shown ON shown.search_id = timed.query_id AND shown.product_id = timed.object_id
    WHERE timed.stage IS NOT NULL AND NOT (timed.is_early OR timed.is_late OR timed.is_bot)
),
clicks AS (
    SELECT identity, product_id, at_us, max(number) AS number
    FROM (SELECT unnest(identities) AS identity, product_id, at_us, number FROM direct WHERE stage = $clicked)
    GROUP BY identity, product_id, at_us
),
loose AS (
    SELECT number, unnest(identities) AS identity, object_id AS product_id, at_us FROM timed
    WHERE stage > $clicked AND query_id IS NULL AND object_id IS NOT NULL AND NOT is_bot
),
last_clicks AS (
    SELECT loose.number, arg_max(clicks.number, (clicks.at_us, clicks.number)) AS click
    FROM loose ASOF JOIN clicks
        ON loose.identity = clicks.identity AND loose.product_id = clicks.product_id AND loose.at_us >= clicks.at_us
    WHERE loose.at_us - clicks.at_us <= $attribution_us AND $attribution_us > 0
    GROUP BY loose.number
),
attributed AS (
    SELECT timed.number, timed.stage, timed.identities, direct.search_id, direct.product_id, direct.searched_at,
        timed.at_us, true AS is_attributed
    FROM last_clicks JOIN timed USING (number) JOIN direct ON direct.number = last_clicks.click
),
together AS (SELECT * FROM direct UNION ALL SELECT * FROM attributed),
firsts AS (
    SELECT search_id, product_id, stage, arg_min(number, (greatest(at_us, searched_at), number)) AS number
    FROM together GROUP BY search_id, product_id, stage
)
SELECT together.number, together.stage, together.search_id, together.product_id,
    greatest(together.at_us, together.searched_at) AS at_us, together.at_us < together.searched_at AS is_skewed,
    together.is_attributed, firsts.number IS NOT NULL AS is_first
FROM together LEFT JOIN firsts ON firsts.number = together.number
