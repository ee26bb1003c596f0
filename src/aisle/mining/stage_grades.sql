-- Training grade of every stage, from the data contract.

CREATE TABLE stage_grades AS
SELECT
    unnest($stages)::TINYINT AS stage,
    unnest($grades)::FLOAT AS grade;

-- What the summary counts.
CREATE TABLE counts (section VARCHAR, split VARCHAR, band VARCHAR, name VARCHAR, amount BIGINT);
