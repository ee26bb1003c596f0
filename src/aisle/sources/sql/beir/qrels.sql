-- query, document, grade; or TREC's query, iteration, document, grade. BEIR's files have a header, TREC's have none.
INSERT INTO qrels
WITH cut AS (
    SELECT row_number() OVER () AS number, line, regexp_split_to_array(trim(line, E' \t\r'), '\s+') AS field
    FROM read_csv($path, delim = '', quote = '', escape = '', header = false, columns = {'line': 'VARCHAR'},
        auto_detect = false)
),
kept AS (
    SELECT * FROM cut
    WHERE trim(line, E' \t\r') <> '' AND NOT (number = 1 AND TRY_CAST(field[-1] AS DOUBLE) IS NULL)
)
SELECT (SELECT coalesce(max(place), 0) FROM qrels) + number AS place, number, line, $split,
    CASE len(field) WHEN 4 THEN [field[1], field[3], field[4]] ELSE field END AS field,
    CASE
        WHEN len(field) NOT IN (3, 4) THEN 'has not three or four fields'
        WHEN TRY_CAST(field[-1] AS DOUBLE) IS NULL THEN 'has no number at its end'
    END AS reason
FROM kept
