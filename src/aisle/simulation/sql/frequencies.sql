WITH ranked AS (
    SELECT query, count(*) AS searches, row_number() OVER (ORDER BY count(*) DESC, query) AS rank
    FROM reached GROUP BY query
),
reaching AS (
    SELECT *, sum(searches) OVER (ORDER BY rank ROWS UNBOUNDED PRECEDING) - searches AS before,
        sum(searches) OVER () AS total
    FROM ranked
)
SELECT count(*) AS distinct_queries, avg(CAST(searches = 1 AS INTEGER)) AS queries_seen_once,
    count(*) FILTER (before < total / 3) AS head_queries,
    regr_slope(ln(searches), ln(rank)) FILTER (rank <= 1000) AS zipf_slope
FROM reaching
