-- A timeframe counts milliseconds of its session; the session's first day gives them a date. Beyond 1e12, 30 years, it
-- is no timeframe.
CREATE TEMP MACRO milliseconds(written) AS
    CASE WHEN TRY_CAST(written AS BIGINT) BETWEEN 0 AND 1000000000000 THEN TRY_CAST(written AS BIGINT) END;
CREATE TEMP MACRO id_of(prefix, written) AS prefix || nullif(nullif(trim(written), ''), 'NA');
CREATE TEMP MACRO words_of(written) AS nullif(array_to_string(
    ['t' || trim(term) FOR term IN string_split(written, ',') IF trim(term) NOT IN ('', 'NA')], ' '), '');
CREATE TEMP MACRO time_of(first_day, elapsed_ms) AS make_timestamptz(epoch_us(first_day) + elapsed_ms * 1000);
CREATE TEMP MACRO problem(session_id, timeframe, eventdate) AS CASE
    WHEN id_of('s', session_id) IS NULL THEN 'has no sessionId'
    WHEN milliseconds(timeframe) IS NULL THEN 'has a timeframe that is no number of milliseconds'
    WHEN TRY_CAST(eventdate AS DATE) IS NULL THEN 'has an eventdate that is no date'
    END;
CREATE TEMP TABLE days AS
SELECT sessionId, CAST(min(TRY_CAST(eventdate AS DATE)) AS TIMESTAMP) AS first_day
FROM (
    SELECT sessionId, eventdate FROM queries_rows UNION ALL SELECT sessionId, eventdate FROM purchases_rows
    UNION ALL SELECT sessionId, eventdate FROM views_rows
)
GROUP BY sessionId
