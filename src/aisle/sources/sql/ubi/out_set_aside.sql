SELECT log_rows.line, coalesce(log_rows.reason, 'comes from an actor that looks like a bot') AS reason,
    coalesce(log_rows.text, CAST(to_json({'action': log_rows.action, 'query_id': log_rows.query_id,
        'user_query': log_rows.user_query, 'user_id': log_rows.user_id, 'client_id': log_rows.client_id,
        'session_id': log_rows.session_id, 'at': make_timestamptz(log_rows.at_us), 'object_id': log_rows.object_id,
        'ordinal': log_rows.ordinal, 'shown': log_rows.shown}) AS VARCHAR)) AS text
FROM log_rows JOIN fates USING (number)
WHERE fates.fate = 'set aside' AND fates.kind = $kind
ORDER BY number
