-- Queries before snapshot $snapshot: the counts of the snapshot before, and the searches of the slice before it.

CREATE OR REPLACE TABLE query_totals AS
SELECT
    query_index,
    sum(searches)::BIGINT AS searches
FROM (
    SELECT * FROM query_totals
    UNION ALL
    SELECT query_index, count(*)
    FROM searches
    WHERE snapshot = $snapshot - 1
    GROUP BY query_index
) AS parts
GROUP BY query_index;

-- Thirds of the searches: a query is in the band in which its first search stands, most frequent queries first, of
-- equally frequent ones that which appeared first.
INSERT INTO bands
SELECT
    $snapshot,
    query_index,
    searches,
    CASE WHEN 3 * before < total THEN 'head' WHEN 3 * before < 2 * total THEN 'torso' ELSE 'tail' END
FROM (
    SELECT
        query_index,
        searches,
        sum(searches) OVER (ORDER BY searches DESC, query_index ROWS UNBOUNDED PRECEDING) - searches AS before,
        sum(searches) OVER () AS total
    FROM query_totals
) AS ranked;
