SELECT search_id, query, make_timestamptz(at_us) AS searched_at, user_id, client_id, session_id, application
FROM searches SEMI JOIN (SELECT number FROM fates WHERE fate = 'searches') AS kept USING (number)
ORDER BY number
