-- What each search showed: the logged list, in its order; impressions of other products join it at their ordinal, or
-- after all others where they have none. A product stands once, at its first place.
CREATE TEMP TABLE shown AS
WITH listed AS (
    SELECT search_id, unnest(shown) AS product_id, generate_subscripts(shown, 1) AS position
    FROM searches LEFT JOIN bots USING (actor)
    WHERE NOT ($drop_bots AND bots.actor IS NOT NULL)
),
first_listed AS (
    SELECT search_id, product_id, min(position) AS position, NULL::BIGINT AS at_us FROM listed
    GROUP BY search_id, product_id
),
viewed AS (
    SELECT query_id AS search_id, object_id AS product_id,
        min(CASE WHEN ordinal IS NOT NULL THEN greatest(ordinal + 1 - coalesce(base, 1), 1) END) AS position,
        min(at_us) AS at_us
    FROM timed LEFT JOIN bases ON bases.application IS NOT DISTINCT FROM timed.application
    WHERE stage = 0 AND object_id IS NOT NULL AND is_known AND NOT (is_early OR is_late OR is_bot)
    GROUP BY query_id, object_id
),
together AS (
    SELECT * FROM first_listed
    UNION ALL
    SELECT * FROM viewed ANTI JOIN first_listed USING (search_id, product_id)
),
placed AS (SELECT * FROM together WHERE position IS NOT NULL),
last AS (SELECT search_id, max(position) AS position FROM placed GROUP BY search_id),
unplaced AS (
    SELECT together.search_id, together.product_id, coalesce(last.position, 0) + row_number() OVER (
        PARTITION BY together.search_id ORDER BY together.at_us, together.product_id) AS position
    FROM together LEFT JOIN last USING (search_id) WHERE together.position IS NULL
)
SELECT search_id, product_id, position FROM placed UNION ALL SELECT search_id, product_id, position FROM unplaced
