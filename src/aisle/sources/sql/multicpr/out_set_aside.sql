SELECT number AS line, reason, line AS text FROM texts WHERE file = $file AND reason IS NOT NULL ORDER BY number
