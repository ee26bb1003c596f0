-- Numbers for queries, actors and searches, all by first appearance: a longer log renumbers nothing that was before.
-- Splits and slices of searches by the boundaries that were found.

CREATE TABLE queries AS
SELECT
    (row_number() OVER (ORDER BY first_us, text) - 1)::INTEGER AS query_index,
    text,
    first_us
FROM (
    SELECT
        spelling_texts.text,
        min(spellings.first_us) AS first_us
    FROM spellings
    INNER JOIN spelling_texts ON spelling_texts.spelling = spellings.spelling
    GROUP BY spelling_texts.text
) AS texts;

CREATE TABLE query_of_spelling AS
SELECT
    spellings.query,
    queries.query_index
FROM spellings
INNER JOIN spelling_texts ON spelling_texts.spelling = spellings.spelling
INNER JOIN queries ON queries.text = spelling_texts.text;

CREATE TABLE actors AS
SELECT
    (row_number() OVER (ORDER BY first_us, actor_id) - 1)::INTEGER AS actor_index,
    actor_id
FROM (
    SELECT
        actor_id,
        min(first_us) AS first_us
    FROM (
        SELECT actor_id, searched_us AS first_us FROM raw_searches WHERE actor_id IS NOT NULL
        UNION ALL
        SELECT actor_id, happened_us AS first_us FROM raw_events
    ) AS uses
    GROUP BY actor_id
) AS distinct_actors;

CREATE TABLE searches AS
SELECT
    (row_number() OVER (ORDER BY raw_searches.searched_us, raw_searches.search_id) - 1)::INTEGER AS search_index,
    raw_searches.search_id,
    query_of_spelling.query_index,
    COALESCE(actors.actor_index, -1)::INTEGER AS actor_index,
    raw_searches.actor_kind,
    raw_searches.session_id,
    raw_searches.searched_us,
    COALESCE(raw_searches.location, user_locations.location) AS location,
    CASE
        WHEN raw_searches.split = 'test' OR (raw_searches.split IS NULL AND raw_searches.searched_us >= $test_from)
            THEN 'test'
        WHEN
            raw_searches.split = 'validation'
            OR (raw_searches.searched_us >= $validation_from AND raw_searches.searched_us < $test_from)
            THEN 'validation'
        WHEN raw_searches.searched_us < $train_end THEN 'train'
        ELSE 'unused'
    END AS split,
    len(list_filter($snapshot_times, lambda boundary: boundary <= raw_searches.searched_us))::TINYINT AS snapshot
FROM raw_searches
INNER JOIN query_of_spelling ON query_of_spelling.query = raw_searches.query
LEFT JOIN actors ON actors.actor_id = raw_searches.actor_id
LEFT JOIN user_locations ON user_locations.user_id = raw_searches.user_id;

-- Time as of which a search is labelled: what happens in a later window is no business of an earlier one.
CREATE TABLE label_times AS
SELECT 'train' AS split, $train_end::BIGINT AS label_until
UNION ALL
SELECT 'unused', $train_end
UNION ALL
SELECT 'validation', $validation_until
UNION ALL
SELECT 'test', $forever;

DROP TABLE spellings;
DROP TABLE spelling_texts;
