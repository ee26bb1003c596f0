SELECT 'queries' AS file, number, reason FROM queries WHERE reason IS NOT NULL
UNION ALL
SELECT file, number, reason FROM acted WHERE reason IS NOT NULL
ORDER BY file, number
