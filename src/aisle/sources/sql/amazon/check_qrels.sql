-- A query of the qrels is <user>_<line of the query>.
UPDATE qrels SET reason = CASE
    WHEN NOT regexp_full_match(field[1], '.+_[0-9]{1,9}') THEN 'names no user and line of a query'
    WHEN CAST(regexp_extract(field[1], '[0-9]+$') AS BIGINT) NOT IN (SELECT line_number FROM queries WHERE query <> '')
        THEN 'names a line that holds no query'
    END
WHERE reason IS NULL
