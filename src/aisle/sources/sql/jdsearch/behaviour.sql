-- One user per line: a search with its candidates, and what the user did before. Times are intervals in seconds; each
-- user's first behaviour is put at 2000-01-01, so that only the order within a user is real.
CREATE TEMP TABLE behaviour AS
WITH numbered AS (SELECT row_number() OVER () AS number, * FROM behaviour_rows),
lists AS (
    SELECT number, query, string_split(candidate_wid_list, '_') AS candidates,
        [TRY_CAST(label AS DOUBLE) FOR label IN string_split(candidate_label_list, '_')] AS labels,
        coalesce(string_split(history_qry_list, '_'), []) AS queries,
        coalesce(string_split(history_wid_list, '_'), []) AS products,
        coalesce(string_split(history_type_list, '_'), []) AS kinds,
        [TRY_CAST(pause AS BIGINT) FOR pause IN string_split(history_time_list, '_')] AS pauses
    FROM numbered
)
SELECT *, 'u' || number AS user_id, 's' || number AS search_id, words_of(query) AS words,
    CAST(coalesce(list_sum(pauses), 0) AS BIGINT) AS total_s,
    CASE
        WHEN coalesce(len(candidates), 0) <> coalesce(len(labels), 0) THEN 'has not one label per candidate'
        WHEN len(queries) <> len(products) OR len(kinds) <> len(products)
            THEN 'has not one query and one type per product of the history'
        WHEN coalesce(len(pauses), 0) <> len(products) + 1
            THEN 'has not one interval more than products in the history'
        WHEN list_contains([pause IS NULL FOR pause IN pauses], true) THEN 'has an interval that is no whole number'
        WHEN words_of(query) IS NULL THEN 'has no query'
    END AS reason
FROM lists
