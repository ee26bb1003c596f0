-- Items that were clicked or bought although the search did not show them.
CREATE TEMP TABLE outside AS
WITH acted AS (
    SELECT number, search_id, time_index, user_id, query, unnest(list_distinct(clicked)) AS product_id,
        'click' AS action,
        impressed FROM recall WHERE copy = 1
    UNION ALL
    SELECT number, search_id, time_index, user_id, query, unnest(list_distinct(purchased)), 'order', impressed
    FROM recall WHERE copy = 1
)
SELECT number, search_id, time_index, user_id, query, product_id, action FROM acted
WHERE NOT coalesce(list_contains(impressed, product_id), false)
