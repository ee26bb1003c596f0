SELECT search_id, words AS query, make_timestamptz(946684800000000 + total_s * 1000000) AS searched_at, user_id
FROM behaviour WHERE reason IS NULL ORDER BY number
