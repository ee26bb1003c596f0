SELECT search_id, any_value(query) AS query, any_value(searched_at) AS searched_at, any_value(user_id) AS user_id
FROM clicks WHERE reason IS NULL GROUP BY search_id ORDER BY min(number)
