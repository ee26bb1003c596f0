CREATE TEMP TABLE queries AS
SELECT split_part(line, chr(9), 1) AS query_id,
    CASE WHEN contains(line, chr(9)) THEN line[strpos(line, chr(9)) + 1:] END AS query
FROM read_csv($path, delim = '', quote = '', escape = '', header = false, columns = {'line': 'VARCHAR'},
    auto_detect = false)
WHERE trim(line, E' \t\r') <> ''
