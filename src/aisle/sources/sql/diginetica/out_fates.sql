SELECT 'queries' AS file, fate, count(*) AS num_rows FROM queries WHERE fate <> 'set aside' GROUP BY fate
UNION ALL
SELECT file, fate, count(*) FROM acted WHERE fate <> 'set aside' GROUP BY file, fate
ORDER BY file, fate
