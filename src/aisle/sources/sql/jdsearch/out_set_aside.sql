SELECT number + 1 AS line, reason, concat_ws(chr(9), query, array_to_string(candidates, '_'),
    array_to_string(labels, '_'), array_to_string(queries, '_'), array_to_string(products, '_'),
    array_to_string(kinds, '_'), array_to_string(pauses, '_')) AS text
FROM behaviour WHERE reason IS NOT NULL ORDER BY number
