-- Lines of id, TAB and text. A text may itself hold a TAB (title and body): it becomes a blank.
INSERT INTO texts
WITH cut AS (
    SELECT row_number() OVER () AS number, line, instr(line, chr(9)) AS place
    FROM read_csv($path, delim = '', quote = '', escape = '', header = false, columns = {'line': 'VARCHAR'},
        auto_detect = false)
)
SELECT $file, number, line, trim(line[:place - 1]), trim(replace(line[place + 1:], chr(9), ' '), E' \r'),
    CASE WHEN place = 0 THEN 'has no TAB between id and text'
        WHEN trim(line[:place - 1]) = '' THEN 'has no id' END
FROM cut WHERE trim(line, E' \t\r') <> ''
