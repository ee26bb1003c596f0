-- Texts are anonymous term ids with byte 0x18 between them; each becomes a word, t and its id.
CREATE TEMP MACRO words_of(written) AS nullif(array_to_string(
    ['t' || trim(term) FOR term IN string_split(written, chr(24)) IF trim(term) <> ''], ' '), '')
