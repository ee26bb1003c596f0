CREATE TEMP TABLE users AS
SELECT number, line ->> '$.user_id' AS user_id,
    coalesce(nullif(line ->> '$.fre_province', 'UNKNOWN'), nullif(line ->> '$.fre_country', 'UNKNOWN')) AS location,
    line ->> '$.gender' AS gender, line ->> '$.age_bucket' AS age_bucket, line ->> '$.fre_country' AS fre_country,
    line ->> '$.fre_province' AS fre_province, line ->> '$.fre_city' AS fre_city
FROM lines WHERE reason IS NULL
