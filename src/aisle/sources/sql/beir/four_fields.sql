-- For sets that are always in TREC's form: a line that was cut after its third field is not one of three columns.
UPDATE qrels SET reason = 'has not four fields'
WHERE len(regexp_split_to_array(trim(line, E' \t\r'), '\s+')) <> 4
