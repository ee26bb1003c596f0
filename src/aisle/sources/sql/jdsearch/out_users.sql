SELECT user_id FROM behaviour WHERE reason IS NULL ORDER BY number
