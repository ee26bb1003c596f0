CREATE TEMP TABLE queries AS SELECT line ->> '$._id' AS query_id, line ->> '$.text' AS query
FROM lines WHERE reason IS NULL
