SELECT search_id, query, searched_at, user_id, session_id, category FROM queries WHERE fate = 'searches' ORDER BY number
