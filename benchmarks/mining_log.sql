-- A log with the marketplace's frequencies and skew, drawn by hash: of any size, without state.
-- Ids of searches are UUIDs, as UBI writes them. 'u' below is uniform in [0, 1); every draw has a salt of its own.

-- Hashed twice: the hash of several values is their exclusive or, so one draw would be another one shifted.
CREATE MACRO u(a, b, salt) AS hash(hash(a, b, salt)) / 18446744073709551616.0;

COPY (
    SELECT
        'p' || lpad(product::VARCHAR, 8, '0') AS product_id,
        'product ' || product AS title
    FROM range($num_products) AS products(product)
) TO $products (FORMAT parquet, COMPRESSION zstd);

-- Queries by Zipf's law (exponent 1): the rank is the exponential of a uniform number. Sessions of about two searches
-- begin at any time of 90 days; a tenth of the shoppers make a third of the sessions.
CREATE TABLE searches AS
SELECT
    search,
    floor(exp(u(search, 0, 'query') * ln($num_queries)))::BIGINT AS query_rank,
    (search * 0.45)::BIGINT AS session,
    floor(pow(u((search * 0.45)::BIGINT, 0, 'user'), 2) * $num_users)::BIGINT AS shopper,
    1735689600000000
    + floor(u((search * 0.45)::BIGINT, 0, 'start') * 90 * 86400)::BIGINT * 1000000
    + (search % 3) * 90000000 + floor(u(search, 0, 'second') * 60)::BIGINT * 1000000 AS searched_us
FROM range($num_searches) AS searches(search);

COPY (
    SELECT
        md5('search ' || search)::UUID::VARCHAR AS search_id,
        'Query ' || md5((query_rank % 4000)::VARCHAR)[:6] || ' ' || md5(query_rank::VARCHAR)[:8] AS query,
        make_timestamptz(searched_us) AS searched_at,
        CASE WHEN u(shopper, 0, 'kind') < 0.6 THEN 'u' || lpad(shopper::VARCHAR, 6, '0') END AS user_id,
        'c' || lpad(shopper::VARCHAR, 6, '0') AS client_id,
        's' || lpad(session::VARCHAR, 9, '0') AS session_id,
        ['de', 'fr', 'it', 'es'][1 + (shopper % 4)] AS location
    FROM searches
) TO $searches (FORMAT parquet, COMPRESSION zstd);

-- Ten places a search: a query shows its own pool of up to 60 products, better ones more often, and 10 % at random.
-- Clicks fall with the place; of the clicks a fifth is carted, half of those are bought.
COPY (
    WITH shown AS (
        SELECT
            search, searched_us, place,
            CASE
                WHEN u(search, place, 'slot') < 0.1 THEN hash(hash(search, place, 'any')) % $num_products
                ELSE hash(hash(query_rank, place + 10 * floor(6 * pow(u(search, place, 'pool'), 3))::BIGINT, 'pool'))
                     % $num_products
            END AS product,
            u(search, place, 'slot') < 0.1 AS random,
            u(search, place, 'click') < 0.22 / place AS clicked,
            u(search, place, 'cart') < 0.2 AS carted,
            u(search, place, 'order') < 0.5 AS ordered,
            floor(u(search, place, 'delay') * 120)::BIGINT * 1000000 AS delay
        FROM searches CROSS JOIN range(1, $places + 1) AS places(place)
    )
    SELECT
        md5('search ' || search)::UUID::VARCHAR AS search_id,
        'p' || lpad(product::VARCHAR, 8, '0') AS product_id,
        place::INTEGER AS position,
        CASE WHEN clicked THEN make_timestamptz(searched_us + delay + 5000000) END AS clicked_at,
        CASE WHEN clicked AND delay % 7000000 = 0 THEN make_timestamptz(searched_us + delay + 30000000) END
            AS favorited_at,
        CASE WHEN clicked AND carted THEN make_timestamptz(searched_us + delay + 60000000) END AS carted_at,
        CASE WHEN clicked AND carted AND ordered THEN make_timestamptz(searched_us + delay + 600000000) END
            AS ordered_at,
        CASE WHEN random THEN 0.1 ELSE 0.9 END AS propensity,
        CASE WHEN random THEN 'random' ELSE 'ranked' END AS slot
    FROM shown
) TO $impressions (FORMAT parquet, COMPRESSION zstd);
