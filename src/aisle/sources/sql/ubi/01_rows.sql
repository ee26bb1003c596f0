-- One row per line of a file, with the fields that the join needs. `reason` says why a line is of no use.
-- A line is a JSON document, alone or behind its table's name and a TAB; action lines of bulk files carry no data.
INSERT INTO log_rows
WITH tagged AS (
    SELECT number, line, CASE split_part(line, chr(9), 1)
        WHEN 'ubi_queries' THEN 'query' WHEN 'ubi_events' THEN 'event' END AS tag
    FROM file_lines
    WHERE trim(line, E' \t\r') <> ''
),
documents AS (
    SELECT number, line, tag, CASE WHEN tag IS NULL THEN line ELSE line[strpos(line, chr(9)) + 1:] END AS document
    FROM tagged
),
parsed AS (
    SELECT number, line, tag, hash(document) AS mark, json_valid(document) AS is_json,
        regexp_matches(document, '^\s*\{\s*"(index|create|update|delete)"\s*:\s*\{') AS looks_like_bulk,
        CASE WHEN json_valid(document) AND json_type(document) = 'OBJECT'
            THEN json_extract_string(document, $paths::VARCHAR[]) END AS field
    FROM documents
),
named AS (
    SELECT number, line, mark, is_json, field IS NOT NULL AS is_object,
        nullif(trim(field[1]), '') AS action, nullif(trim(field[2]), '') AS query_id,
        nullif(trim(field[3]), '') AS user_query, nullif(trim(field[4]), '') AS user_id,
        nullif(trim(field[5]), '') AS client_id,
        coalesce(nullif(trim(field[6]), ''), nullif(trim(field[7]), ''), nullif(trim(field[8]), '')) AS session_id,
        nullif(trim(field[9]), '') AS written_at,
        coalesce(nullif(trim(field[10]), ''), nullif(trim(field[11]), '')) AS application,
        coalesce(nullif(trim(field[12]), ''), nullif(trim(field[13]), ''), nullif(trim(field[14]), '')) AS object_id,
        coalesce(nullif(trim(field[15]), ''), nullif(trim(field[16]), '')) AS object_field,
        TRY_CAST(coalesce(field[17], field[18]) AS INTEGER) AS ordinal,
        coalesce(field[19], field[20]) AS shown_text,
        CASE
            WHEN tag IS NOT NULL THEN tag
            WHEN field[1] IS NOT NULL THEN 'event'
            WHEN field[2] IS NOT NULL OR field[3] IS NOT NULL THEN 'query'
            WHEN looks_like_bulk AND field IS NOT NULL THEN 'bulk'
        END AS kind
    FROM parsed
),
timed AS (
    -- Epoch numbers are told apart by size, as in `aisle.tables`: seconds, milliseconds, microseconds, nanoseconds.
    SELECT *, TRY_CAST(written_at AS DOUBLE) AS epoch,
        CASE
            WHEN epoch BETWEEN 1e8 AND 7.26e9 THEN CAST(round(epoch * 1e6) AS BIGINT)
            WHEN epoch BETWEEN 1e11 AND 7.26e12 THEN CAST(round(epoch * 1e3) AS BIGINT)
            WHEN epoch BETWEEN 1e14 AND 7.26e15 THEN CAST(round(epoch) AS BIGINT)
            WHEN epoch BETWEEN 1e17 AND 7.26e18 THEN CAST(round(epoch / 1e3) AS BIGINT)
            WHEN epoch IS NULL THEN epoch_us(TRY_CAST(written_at AS TIMESTAMPTZ))
        END AS any_us,
        -- Years 1 to 9999: farther times are no times, and would overflow.
        CASE WHEN any_us BETWEEN -62135596800000000 AND 253402300799999999 THEN any_us END AS at_us
    FROM named
),
judged AS (
    SELECT *, CASE
        WHEN NOT is_json THEN 'is not valid JSON'
        WHEN NOT is_object THEN 'is not a JSON object'
        WHEN kind IS NULL THEN 'is neither a query nor an event'
        WHEN kind = 'query' AND query_id IS NULL THEN 'has no query_id'
        WHEN kind = 'query' AND user_query IS NULL THEN 'has no user_query'
        WHEN kind = 'event' AND action IS NULL THEN 'has no action_name'
        WHEN kind <> 'bulk' AND at_us IS NULL THEN 'has no timestamp that is an ISO 8601 time or an epoch number'
        WHEN kind = 'event' AND coalesce(user_id, client_id, session_id, query_id) IS NULL
            THEN 'has no user, client, session or query'
        END AS reason
    FROM timed
)
SELECT $offset + number AS number, number AS line, coalesce(kind, $default_kind) AS kind, reason,
    CASE WHEN reason IS NOT NULL THEN judged.line END AS text,
    mark, action, actions.stage, query_id, user_query, user_id, client_id, session_id, at_us, application,
    object_id, object_field, ordinal,
    CASE
        WHEN kind <> 'query' OR reason IS NOT NULL OR shown_text IS NULL THEN NULL
        WHEN starts_with(ltrim(shown_text), '{') THEN NULL
        WHEN starts_with(ltrim(shown_text), '[') AND json_valid(shown_text)
            THEN [trim(one) FOR one IN CAST(CAST(shown_text AS JSON) AS VARCHAR[]) IF trim(one) <> '']
        ELSE [one FOR one IN regexp_split_to_array(trim(shown_text, '[] '), '[,|;\s]+') IF one <> '']
    END AS shown
FROM judged LEFT JOIN actions ON actions.name = regexp_replace(lower(action), '[- ]+', '_', 'g')
