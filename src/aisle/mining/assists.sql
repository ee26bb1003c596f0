-- Assisted positives: a click or order also counts for up to $max_searches earlier searches of the same session that
-- had ended without an action of their own by then. A fact of the action's time: nothing later takes it back.
-- A session is a session_id; without one, an actor's searches with no longer pause than $session_gap_us.

CREATE TABLE session_places AS
WITH pauses AS (
    SELECT
        search_index,
        actor_index,
        (searched_us - lag(searched_us) OVER actor > $session_gap_us)::INTEGER AS begins
    FROM searches
    WHERE session_id IS NULL AND actor_index >= 0
    WINDOW actor AS (PARTITION BY actor_index ORDER BY search_index)
),

named AS (
    SELECT search_index, 's' || session_id AS session FROM searches WHERE session_id IS NOT NULL
    UNION ALL
    SELECT
        search_index,
        'a' || actor_index || '-' || sum(COALESCE(begins, 0)) OVER (
            PARTITION BY actor_index ORDER BY search_index ROWS UNBOUNDED PRECEDING
        ) AS session
    FROM pauses
)

SELECT
    search_index,
    session,
    row_number() OVER (PARTITION BY session ORDER BY search_index) AS place
FROM named;

CREATE TABLE first_actions AS
SELECT search_index, min(happened_us) AS first_us FROM actions GROUP BY search_index;

-- Pairs of a search with action and one before it in its session.
CREATE TABLE assisted_pairs AS
SELECT
    later.search_index AS later_index,
    earlier.search_index AS earlier_index,
    earlier_searches.query_index,
    earlier_searches.searched_us,
    earlier_first.first_us
FROM first_actions
INNER JOIN session_places AS later ON later.search_index = first_actions.search_index
CROSS JOIN range(1, $max_searches::BIGINT + 1) AS steps(back)
INNER JOIN session_places AS earlier ON earlier.session = later.session AND earlier.place = later.place - steps.back
INNER JOIN searches AS earlier_searches ON earlier_searches.search_index = earlier.search_index
INNER JOIN searches AS later_searches ON later_searches.search_index = later.search_index
LEFT JOIN first_actions AS earlier_first ON earlier_first.search_index = earlier.search_index
WHERE earlier_searches.searched_us < later_searches.searched_us AND later.place > steps.back;

CREATE TABLE assists AS
WITH assisting AS (
    SELECT
        search_index,
        product_index,
        stage,
        happened_us,
        row_number() OVER (PARTITION BY search_index ORDER BY happened_us, product_index, stage) AS rank
    FROM actions
    WHERE stage IN (1, 4) AND search_index IN (SELECT later_index FROM assisted_pairs)
)

SELECT
    assisted_pairs.earlier_index AS search_index,
    assisted_pairs.query_index,
    assisting.product_index,
    assisting.stage,
    assisting.happened_us
FROM assisting
INNER JOIN assisted_pairs ON assisted_pairs.later_index = assisting.search_index
WHERE
    assisting.rank <= $max_actions
    AND assisting.happened_us - assisted_pairs.searched_us <= $assist_window_us
    AND (assisted_pairs.first_us IS NULL OR assisted_pairs.first_us > assisting.happened_us);

DROP TABLE session_places;
DROP TABLE assisted_pairs;
DROP TABLE first_actions;
