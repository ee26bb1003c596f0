-- What each fresh search came to, as of the time that its split is labelled at: products acted on, products skipped though
-- plausibly seen, and (in training alone) assisted positives. A product counts once a search: at its best place, with
-- its latest stage; its own action goes before an assisted one.

CREATE TABLE labelled AS
SELECT
    searches.search_index,
    label_times.label_until
FROM searches
INNER JOIN label_times ON label_times.split = searches.split
WHERE searches.search_index IN (SELECT search_index FROM fresh);

CREATE TABLE own_actions AS
SELECT
    actions.search_index,
    actions.product_index,
    actions.position,
    actions.propensity,
    actions.stage,
    actions.happened_us
FROM actions
INNER JOIN labelled ON labelled.search_index = actions.search_index
WHERE actions.happened_us < labelled.label_until;

CREATE TABLE last_places AS
SELECT search_index, max(position) AS last_place FROM own_actions GROUP BY search_index;

CREATE TABLE seen AS
SELECT
    shown.search_index,
    shown.product_index,
    shown.position,
    shown.propensity
FROM shown
INNER JOIN last_places ON last_places.search_index = shown.search_index
WHERE
    shown.product_index >= 0
    AND shown.position BETWEEN last_places.last_place - $skips_above AND last_places.last_place + $skips_below;

CREATE TABLE outcomes AS
WITH parts AS (
    SELECT
        search_index, product_index, position, propensity,
        0::TINYINT AS stage, NULL::BIGINT AS reached_us, 0::TINYINT AS assisted_stage, NULL::BIGINT AS assisted_us
    FROM seen
    UNION ALL
    SELECT search_index, product_index, position, propensity, stage, happened_us, 0::TINYINT, NULL::BIGINT
    FROM own_actions
    UNION ALL
    SELECT
        assists.search_index, assists.product_index, NULL::INTEGER, NULL::FLOAT, 0::TINYINT, NULL::BIGINT,
        assists.stage, assists.happened_us
    FROM assists
    INNER JOIN labelled ON labelled.search_index = assists.search_index
    INNER JOIN searches ON searches.search_index = assists.search_index
    WHERE searches.split = 'train' AND assists.happened_us < labelled.label_until
),

merged AS (
    SELECT
        search_index,
        product_index,
        min(position) AS position,
        arg_min_null(propensity, position) AS propensity,
        max(stage) AS stage,
        max(reached_us) AS reached_us,
        max(assisted_stage) AS assisted_stage,
        max(assisted_us) AS assisted_us
    FROM parts
    GROUP BY search_index, product_index
)

SELECT
    search_index,
    product_index,
    position,
    propensity,
    CASE WHEN stage = 0 THEN assisted_stage ELSE stage END::TINYINT AS stage,
    CASE WHEN stage = 0 THEN assisted_us ELSE reached_us END AS reached_us,
    stage = 0 AND assisted_stage > 0 AS assisted
FROM merged;
