CREATE TEMP TABLE documents AS
SELECT number, line ->> '$._id' AS product_id,
    coalesce(nullif(trim(line ->> '$.title'), ''), line ->> '$.text') AS title,
    CASE WHEN trim(line ->> '$.title') <> '' THEN line ->> '$.text' END AS description
FROM lines WHERE reason IS NULL
