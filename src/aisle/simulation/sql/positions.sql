SELECT position, count(*) AS shown, count(clicked_at) AS clicks
FROM impressions WHERE position <= $most GROUP BY position ORDER BY position
