-- The log's tables with the contract's columns only; a column that a file lacks is null, by way of the empty file
-- beside it. Times are whole microseconds since 1970, UTC.

CREATE TABLE products AS
SELECT
    product_id,
    file_row_number::INTEGER AS product_index
FROM read_parquet($products, hive_partitioning = false, file_row_number = true);

CREATE TABLE raw_searches AS
SELECT
    search_id,
    query,
    epoch_us(searched_at) AS searched_us,
    COALESCE(user_id, client_id, session_id) AS actor_id,
    CASE
        WHEN user_id IS NOT NULL THEN 'user'
        WHEN client_id IS NOT NULL THEN 'client'
        WHEN session_id IS NOT NULL THEN 'session'
        ELSE 'none'
    END AS actor_kind,
    user_id,
    session_id,
    location,
    split
FROM read_parquet([$searches, $empty_searches], union_by_name = true, hive_partitioning = false);

CREATE TABLE raw_events AS
SELECT
    actor_id,
    epoch_us("at") AS happened_us,
    lower(trim(action)) AS action,
    product_id,
    query,
    search_id
FROM read_parquet([$events, $empty_events], union_by_name = true, hive_partitioning = false);

CREATE TABLE user_locations AS
SELECT
    user_id,
    location
FROM read_parquet([$users, $empty_users], union_by_name = true, hive_partitioning = false)
WHERE location IS NOT NULL;

-- Each spelling once, numbered for Python, which normalises them block by block.
CREATE TABLE spellings AS
SELECT
    row_number() OVER () AS spelling,
    query,
    first_us
FROM (
    SELECT
        query,
        min(first_us) AS first_us
    FROM (
        SELECT query, searched_us AS first_us FROM raw_searches
        UNION ALL
        SELECT query, happened_us AS first_us FROM raw_events WHERE query IS NOT NULL
    ) AS uses
    GROUP BY query
) AS distinct_spellings;

CREATE TABLE spelling_texts (spelling BIGINT, text VARCHAR);
