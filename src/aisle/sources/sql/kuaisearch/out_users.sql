SELECT * EXCLUDE (number) FROM users ORDER BY number
