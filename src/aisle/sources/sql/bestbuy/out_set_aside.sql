SELECT number, reason FROM clicks WHERE reason IS NOT NULL ORDER BY number
