-- One row per click. Rows of one user, query and query time are a search, named after its first row.
CREATE TEMP TABLE clicks AS
WITH checked AS (
    SELECT row_number() OVER () AS number, trim("user") AS user_id, trim(sku) AS product_id, trim(query) AS query,
        TRY_CAST(query_time AS TIMESTAMP) AS queried, TRY_CAST(click_time AS TIMESTAMP) AS clicked,
        CASE
            WHEN coalesce(trim("user"), '') = '' THEN 'has no user'
            WHEN coalesce(trim(sku), '') = '' THEN 'has no sku'
            WHEN coalesce(trim(query), '') = '' THEN 'has no query'
            WHEN TRY_CAST(query_time AS TIMESTAMP) IS NULL THEN 'has a query_time that is no time'
            WHEN TRY_CAST(click_time AS TIMESTAMP) IS NULL THEN 'has a click_time that is no time'
        END AS reason
    FROM click_rows
)
SELECT number, user_id, product_id, query, reason, make_timestamptz(epoch_us(queried)) AS searched_at,
    make_timestamptz(epoch_us(greatest(queried, clicked))) AS clicked_at,
    CASE WHEN reason IS NULL THEN 's' || min(number) OVER (PARTITION BY user_id, query, queried, reason) END AS search_id
FROM checked
