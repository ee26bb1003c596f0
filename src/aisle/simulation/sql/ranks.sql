WITH ranked AS (
    SELECT count(*) AS searches, row_number() OVER (ORDER BY count(*) DESC, query) AS rank FROM reached GROUP BY query
)
SELECT rank, searches FROM ranked WHERE list_contains($ranks, rank) ORDER BY rank
