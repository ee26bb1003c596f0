-- One query per line; the qrels name them by their number, from 0.
CREATE TEMP TABLE queries AS
SELECT row_number() OVER () - 1 AS line_number, nullif(trim(line, E' \t\r'), '') AS query
FROM read_csv($path, delim = '', quote = '', escape = '', header = false, columns = {'line': 'VARCHAR'},
    auto_detect = false)
