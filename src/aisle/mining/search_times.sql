-- Time and split of every search, the split as a number: train 0, validation 1, test 2, none -1.

SELECT
    searched_us,
    CASE split WHEN 'train' THEN 0 WHEN 'validation' THEN 1 WHEN 'test' THEN 2 ELSE -1 END::TINYINT AS split
FROM raw_searches;
