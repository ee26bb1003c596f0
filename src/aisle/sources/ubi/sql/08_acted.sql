-- Events that concern a product shown by their search. Carts, favourites and orders without a query id belong to the
-- actor's last click of the product, if that was not too long ago.
CREATE TEMP TABLE acted AS
WITH direct AS (
    SELECT timed.number, timed.stage, timed.actor, shown.search_id, shown.product_id, timed.searched_at, timed.at_us,
        false AS is_attributed
    FROM timed JOIN shown ON shown.search_id = timed.query_id AND shown.product_id = timed.object_id
    WHERE timed.stage IS NOT NULL AND NOT (timed.is_early OR timed.is_late OR timed.is_bot)
),
clicks AS (
    SELECT actor, product_id, at_us, arg_max(search_id, number) AS search_id, arg_max(searched_at, number) AS searched_at
    FROM direct WHERE stage = $clicked AND actor IS NOT NULL GROUP BY actor, product_id, at_us
),
loose AS (
    SELECT number, stage, actor, object_id, at_us FROM timed
    WHERE stage > $clicked AND query_id IS NULL AND object_id IS NOT NULL AND NOT is_bot
),
attributed AS (
    SELECT loose.number, loose.stage, loose.actor, clicks.search_id, clicks.product_id, clicks.searched_at, loose.at_us,
        true AS is_attributed
    FROM loose ASOF JOIN clicks
        ON loose.actor = clicks.actor AND loose.object_id = clicks.product_id AND loose.at_us >= clicks.at_us
    WHERE loose.at_us - clicks.at_us <= $attribution_us AND $attribution_us > 0
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
