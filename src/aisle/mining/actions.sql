-- One row for every stage that a shown product reached, with the time that it counts at. Where an impression has no
-- times but a stage, it is dated by its search. A time a little before the search is a clock's fault and counts at the
-- search; one long before or long after it is not believed.

CREATE TABLE dated_actions AS
SELECT search_index, searched_us, product_index, position, propensity, 1::TINYINT AS stage, clicked_us AS raw_us
FROM acted WHERE clicked_us IS NOT NULL
UNION ALL
SELECT search_index, searched_us, product_index, position, propensity, 2::TINYINT AS stage, favorited_us AS raw_us
FROM acted WHERE favorited_us IS NOT NULL
UNION ALL
SELECT search_index, searched_us, product_index, position, propensity, 3::TINYINT AS stage, carted_us AS raw_us
FROM acted WHERE carted_us IS NOT NULL
UNION ALL
SELECT search_index, searched_us, product_index, position, propensity, 4::TINYINT AS stage, ordered_us AS raw_us
FROM acted WHERE ordered_us IS NOT NULL
UNION ALL
SELECT
    search_index, searched_us, product_index, position, propensity,
    CASE stage WHEN 'clicked' THEN 1 WHEN 'favorited' THEN 2 WHEN 'carted' THEN 3 ELSE 4 END::TINYINT AS stage,
    searched_us AS raw_us
FROM acted WHERE COALESCE(clicked_us, favorited_us, carted_us, ordered_us) IS NULL;

CREATE TABLE actions AS
SELECT
    dated_actions.search_index,
    dated_actions.product_index,
    dated_actions.position,
    dated_actions.propensity,
    dated_actions.stage,
    greatest(dated_actions.raw_us, dated_actions.searched_us) AS happened_us,
    searches.query_index,
    searches.actor_index
FROM dated_actions
INNER JOIN searches ON searches.search_index = dated_actions.search_index
WHERE
    dated_actions.raw_us >= dated_actions.searched_us - $max_skew_us
    AND dated_actions.raw_us <= dated_actions.searched_us + $max_delay_us;
