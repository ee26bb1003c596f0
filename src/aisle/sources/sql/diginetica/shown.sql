-- A product that stands twice in a list counts at its first place.
CREATE TEMP TABLE shown AS
WITH listed AS (
    SELECT number, search_id, session_id, searched_at, unnest(items) AS item, generate_subscripts(items, 1) AS position
    FROM queries WHERE fate = 'searches'
)
SELECT any_value(number) AS number, search_id, trim(item) AS product_id, any_value(session_id) AS session_id,
    any_value(searched_at) AS searched_at, CAST(min(position) AS INTEGER) AS position
FROM listed WHERE trim(item) <> '' GROUP BY search_id, trim(item)
