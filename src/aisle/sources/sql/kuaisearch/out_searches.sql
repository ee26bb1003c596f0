SELECT search_id, query, make_timestamptz(946684800000000 + time_index * 1000000) AS searched_at, user_id, session_id,
    split, time_index AS order_number
FROM recall WHERE copy = 1
ORDER BY number
