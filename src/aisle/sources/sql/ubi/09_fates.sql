-- What became of every line that is a query or an event: each has exactly one fate.
CREATE TEMP TABLE fates AS
WITH product_fields AS (
    SELECT DISTINCT coalesce(object_field, '') AS object_field FROM timed
    WHERE stage IS NOT NULL AND object_id IS NOT NULL
)
SELECT log_rows.number, log_rows.kind, CASE
    WHEN log_rows.reason IS NOT NULL THEN 'set aside'
    WHEN log_rows.kind = 'query' AND searches.number IS NULL THEN 'duplicate'
    WHEN log_rows.kind = 'query' AND $drop_bots AND bots.actor IS NOT NULL THEN 'set aside'
    WHEN log_rows.kind = 'query' THEN 'searches'
    WHEN timed.number IS NULL THEN 'duplicate'
    WHEN timed.is_bot THEN 'set aside'
    WHEN acted.number IS NULL THEN 'events'
    WHEN acted.is_first THEN 'impressions'
    ELSE 'repeated'
    END AS fate,
    coalesce(acted.is_skewed, false) AS is_skewed, coalesce(acted.is_attributed, false) AS is_attributed,
    timed.stage, timed.query_id IS NULL AS is_without_query, timed.is_known, timed.is_early, timed.is_late,
    coalesce(timed.is_bot, false) OR (log_rows.kind = 'query' AND $drop_bots AND bots.actor IS NOT NULL) AS is_bot,
    timed.object_id IS NOT NULL AND (timed.stage IS NOT NULL OR product_fields.object_field IS NOT NULL) AS has_product
FROM log_rows
LEFT JOIN searches ON searches.number = log_rows.number
LEFT JOIN timed ON timed.number = log_rows.number
LEFT JOIN acted ON acted.number = log_rows.number
LEFT JOIN bots ON bots.actor = searches.actor
LEFT JOIN product_fields ON product_fields.object_field = coalesce(timed.object_field, '')
WHERE log_rows.kind IN ('query', 'event')
