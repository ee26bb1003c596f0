SELECT CASE
    WHEN ordered_at IS NOT NULL THEN 'ordered' WHEN carted_at IS NOT NULL THEN 'carted'
    WHEN favorited_at IS NOT NULL THEN 'favorited' WHEN clicked_at IS NOT NULL THEN 'clicked' ELSE 'shown'
END AS stage, count(*) AS impressions
FROM impressions GROUP BY stage
