SELECT number AS line, reason, line AS text FROM qrels WHERE reason IS NOT NULL ORDER BY place
