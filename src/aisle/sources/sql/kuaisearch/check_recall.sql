UPDATE lines SET reason = CASE
    WHEN json_extract_string(line, '$.user_id') IS NULL THEN 'has no user_id'
    WHEN TRY_CAST(json_extract_string(line, '$.time_index') AS BIGINT) IS NULL
        THEN 'has no time_index that is a whole number'
    WHEN coalesce(trim(json_extract_string(line, '$.query')), '') = '' THEN 'has no query'
    WHEN coalesce(json_type(line, '$.impressed_item_ids'), 'NULL') NOT IN ('ARRAY', 'NULL')
        OR coalesce(json_type(line, '$.clicked_item_ids'), 'NULL') NOT IN ('ARRAY', 'NULL')
        OR coalesce(json_type(line, '$.purchased_item_ids'), 'NULL') NOT IN ('ARRAY', 'NULL')
        THEN 'has item ids that are no list'
    END
WHERE reason IS NULL
