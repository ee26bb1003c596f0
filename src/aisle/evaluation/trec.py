"""Runs and judgments as TREC files, so that trec_eval and ir-measures can repeat the numbers.

    run      qid Q0 docid rank score tag
    qrels    qid 0 docid grade
    queries  qid TAB text

Query i (from 0) is called q{i + 1}.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float32, Int64

from aisle.core.errors import SourceError, UsageError
from aisle.core.ids import UNKNOWN, IdMap
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.evaluation.run_rows import ranking_of_rows
from aisle.measures import Qrels

__all__ = [
    "known_indices",
    "query_ids",
    "read_named_run",
    "read_qrels",
    "read_queries",
    "read_run",
    "run_lines",
    "write_qrels",
    "write_queries",
    "write_run",
]

_QUERIES_PER_BLOCK = 1000
# All that Python's str.split or C's isspace cuts at: any of it inside an id would shift the columns of its line.
_ANY_SPACE = r"[\s\v\x1c-\x1f\x{85}\p{Z}]"


def query_ids(num_queries: int) -> list[str]:
    """Return the query ids of the files: q1, q2 and so on."""
    return [f"q{number}" for number in range(1, num_queries + 1)]


def write_run(path: Path, ranking: Ranking, *, ids: IdMap, tag: str) -> None:
    """Write a run, whole or not at all.

    trec_eval ignores the rank and sorts by score, in single precision, equal scores by descending id. So that it sees
    our order, each score is lowered where needed to the next float32 below the score before it; scores
    that already decrease are written exactly.

    Args:
        path: File to write; an existing one is replaced.
        ranking: Results, row i for query q{i + 1}.
        ids: Ids of the ranking's products.
        tag: Name of the system.

    Raises:
        UsageError: If an id or the tag holds white space, or a product's score is not finite.
    """
    names = pa.array(query_ids(len(ranking.product_index)), pa.string())

    def blocks() -> Iterable[str]:
        for start in range(0, len(names), _QUERIES_PER_BLOCK):
            rows = slice(start, start + _QUERIES_PER_BLOCK)
            block = Ranking(ranking.product_index[rows], ranking.score[rows])
            yield run_lines(block, names=names[rows], ids=ids, tag=tag)

    _write_whole(path, blocks())


def run_lines(ranking: Ranking, *, names: pa.Array, ids: IdMap, tag: str) -> str:
    """Return the lines of some queries of a run; see `write_run`.

    Args:
        ranking: Results of these queries.
        names: Id of each query.
        ids: Ids of the ranking's products.
        tag: Name of the system.

    Raises:
        UsageError: As `write_run` does.
    """
    row, place = np.nonzero(ranking.product_index != NO_PRODUCT)
    if not np.isfinite(ranking.score[row, place]).all():
        raise UsageError("Scores of a run must be finite", received={"tag": tag})
    product_ids = ids.ids.take(pa.array(ranking.product_index[row, place]))
    for what, values in (("tag", pa.array([tag])), ("query_id", names), ("product_id", pc.unique(product_ids))):
        _check_no_space(values, what=what)
    return _lines(
        [
            names.take(pa.array(row)),
            "Q0",
            product_ids,
            pa.array(place + 1).cast(pa.string()),
            pa.array(_strictly_decreasing(ranking.score)[row, place]).cast(pa.string()),
            tag,
        ]
    )


def read_run(path: Path, *, ids: IdMap, num_queries: int) -> Ranking:
    """Read a run of the queries q1 to q{num_queries}; see `read_named_run`."""
    return read_named_run(path, ids=ids, names=query_ids(num_queries))


def read_named_run(path: Path, *, ids: IdMap, names: Sequence[str]) -> Ranking:
    """Read a run: results sorted by descending score, ties as `ranking_of_rows` breaks them.

    Args:
        path: File in TREC's format.
        ids: Ids of the catalogue.
        names: Distinct ids of the queries, row by row; those without a line get an empty row.

    Raises:
        SourceError: If the file cannot be read, a line is malformed, an id is unknown, or a product stands twice.
    """
    query_id, _, product_id, rank, score, _ = _read_columns(path, num_columns=6)
    return ranking_of_rows(
        query=known_indices(path, query_id, IdMap(names), what="query id"),
        product=known_indices(path, product_id, ids, what="product_id"),
        score=_numbers(path, score, pa.float64()),
        rank=_numbers(path, rank, pa.int64()),
        ids=ids,
        num_queries=len(names),
    )


def write_qrels(path: Path, qrels: Qrels, *, ids: IdMap) -> int:
    """Write judgments, whole or not at all.

    TREC grades are whole numbers. Where any grade is fractional, all are multiplied by 100 and rounded.

    Args:
        path: File to write; an existing one is replaced.
        qrels: Judgments.
        ids: Ids of the judged products (`JudgedQueries.ids`).

    Returns:
        What the grades were multiplied by: 1 or 100. A `min_grade` for the file must be multiplied likewise.

    Raises:
        UsageError: If an id holds white space.
    """
    product_ids = ids.ids.take(pa.array(qrels.product_index))
    _check_no_space(product_ids, what="product_id")
    scale = 1 if np.array_equal(qrels.grade, np.rint(qrels.grade)) else 100
    grades = pa.array(np.rint(qrels.grade * scale).astype(np.int64)).cast(pa.string())
    names = pa.array(query_ids(qrels.num_queries), pa.string()).take(pa.array(qrels.query_index))
    _write_whole(path, [_lines([names, "0", product_ids, grades])])
    return scale


def read_qrels(path: Path, *, ids: IdMap, num_queries: int, scale: int = 1) -> Qrels:
    """Read judgments; grades are divided by `scale`.

    Raises:
        SourceError: If the file cannot be read, a line is malformed, or an id is unknown.
    """
    query_id, _, product_id, grade = _read_columns(path, num_columns=4)
    return Qrels.from_triples(
        query_index=known_indices(path, query_id, IdMap(query_ids(num_queries)), what="query id"),
        product_index=known_indices(path, product_id, ids, what="product_id"),
        grade=_numbers(path, grade, pa.float64()) / scale,
        num_queries=num_queries,
    )


def write_queries(path: Path, texts: Sequence[str]) -> None:
    """Write the queries' texts; tabs and line breaks inside a text become single spaces."""
    names = pa.array(query_ids(len(texts)), pa.string())
    spaced = pc.replace_substring_regex(pa.array(list(texts), pa.string()), _ANY_SPACE + "+", " ")
    _write_whole(path, [_lines([names, spaced], separator="\t")])


def read_queries(path: Path) -> list[str]:
    """Read texts that `write_queries` wrote.

    Raises:
        SourceError: If the file cannot be read or is not q1, q2, … with a tab and a text each.
    """
    lines = _read_lines(path)
    parts = pc.split_pattern(lines, "\t", max_splits=1)
    names, texts = _columns(path, parts, num_columns=2)
    if names.to_pylist() != query_ids(len(texts)):
        raise SourceError(
            "Query ids must be q1, q2, … in this order", received={"path": str(path)}, remedy="Write it again."
        )
    return list(texts.to_pylist())


def _strictly_decreasing(score: Float32[np.ndarray, "queries k"]) -> Float32[np.ndarray, "queries k"]:
    """Lower scores by as little as float32 allows until every row decreases strictly."""
    bits = np.ascontiguousarray(score, np.float32).view(np.int32).astype(np.int64)
    # Whole numbers in the same order as the floats, neighbours one apart (both zeros fall together).
    steps = np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))
    place = np.arange(score.shape[1])
    steps = np.minimum.accumulate(steps + place, axis=1) - place
    lowered = np.where(steps >= 0, steps, -steps | 0x80000000)
    return lowered.astype(np.uint32).view(np.float32)


def _check_no_space(values: pa.Array, *, what: str) -> None:
    is_bad = pc.or_(pc.match_substring_regex(values, _ANY_SPACE), pc.equal(values, ""))
    bad = values.filter(is_bad)
    if len(bad):
        raise UsageError(
            "Ids and tags in TREC files must be non-empty and without white space",
            received={what: bad[0].as_py(), "such_values": len(bad)},
            remedy="Write Parquet instead, or import the catalogue with other ids.",
        )


def _lines(columns: Sequence[pa.Array | str], *, separator: str = " ") -> str:
    lines = pc.binary_join_element_wise(*columns, separator)
    return "".join(f"{line}\n" for line in lines.to_pylist())


def _write_whole(path: Path, blocks: Iterable[str]) -> None:
    """Write under a temporary name, then rename: a reader never sees half a file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(blocks)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            "The file must be writable",
            received={"path": str(path), "error": error.strerror},
            remedy="Name another file.",
        ) from error


def _read_lines(path: Path) -> pa.Array:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            "A TREC file must be readable UTF-8 text", received={"path": str(path), "error": str(error)}
        ) from error
    # Not str.splitlines: it also breaks at characters that an id or a query may hold.
    lines = pa.array(text.split("\n"), pa.string())
    return lines.filter(pc.not_equal(pc.ascii_trim_whitespace(lines), ""))


def _read_columns(path: Path, *, num_columns: int) -> list[pa.Array]:
    return _columns(path, pc.ascii_split_whitespace(pc.ascii_trim_whitespace(_read_lines(path))), num_columns)


def _columns(path: Path, parts: pa.Array, num_columns: int) -> list[pa.Array]:
    is_wrong = pc.not_equal(pc.list_value_length(parts), num_columns)
    if pc.any(is_wrong, min_count=0).as_py():
        wrong = parts.filter(is_wrong)
        raise SourceError(
            f"Every line must have {num_columns} columns",
            received={"path": str(path), "line": " ".join(wrong[0].as_py()), "wrong_lines": len(wrong)},
        )
    flat = parts.flatten()
    return [flat.take(pa.array(np.arange(column, len(flat), num_columns))) for column in range(num_columns)]


def known_indices(path: Path, names: pa.Array, ids: IdMap, *, what: str) -> Int64[np.ndarray, " lines"]:
    """Return the index of every name that a file has.

    Raises:
        SourceError: If one is unknown.
    """
    found = ids.index_of(names)
    if np.any(found == UNKNOWN):
        unknown = names.filter(pa.array(found == UNKNOWN))
        raise SourceError(
            f"Every {what} of the file must be known",
            received={"path": str(path), what: unknown[0].as_py(), "unknown": len(unknown)},
            remedy="Use the catalogue and the queries that the file was written for; of a log raise --max-searches.",
        )
    return found


def _numbers(path: Path, texts: pa.Array, kind: pa.DataType) -> np.ndarray:
    try:
        numbers = np.asarray(texts.cast(kind).to_numpy(zero_copy_only=False))
        problem = "" if np.isfinite(numbers).all() else "a number is not finite"
    except pa.ArrowInvalid as error:
        problem = str(error)
    if problem:
        raise SourceError(
            "Ranks, scores and grades must be finite numbers", received={"path": str(path), "problem": problem}
        )
    return numbers
