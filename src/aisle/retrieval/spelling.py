"""Typing errors: words that the catalogue does not know, replaced by the nearest that it knows.

For search by words, where a misspelt one finds nothing, and by vectors, whose n-grams of characters bridge a slip only
half: a misspelt query also misses what the log knows of the right one.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from aisle.core.ranking import QueryBatch, Ranking, Retriever
from aisle.core.text import word_lists, words
from aisle.features import product_text
from aisle.features.analyser import Analyser
from aisle.index.sealed import damaged, seal_folder, unseal_folder

__all__ = ["TEXT_FIELDS", "SpelledRetriever", "Speller"]

TEXT_FIELDS = ("title", "brand", "category", "attributes", "description")
"""Fields whose words are known, whether they are searched or not."""

_KIND, _FILE = "spelling", "words.parquet"
_CHUNK = 100_000
_CACHED_WORDS = 100_000
_LEAST_LENGTH = 4
"""Shorter words have too many neighbours: "led" is one letter from "bed", "red" and "lid"."""

_TWO_ERRORS_FROM = 8
"""Letters from which a word may have two errors."""

_LEAST_HALF, _LEAST_HALF_FREQUENCY = 3, 3
"""Letters of each half of two words that were typed without their space, and how often the catalogue has it: almost any
word falls into two rare ones."""

_LEAST_ASKED, _LEAST_SHARE = 3, 0.005
"""A word that shoppers type so often, and so often beside the word that it might stand for, is no slip."""


class Speller:
    """Replaces the words of a query that are unknown by the nearest known ones.

    A word is known if its stem stands anywhere in the catalogue: in titles, brands, categories, attributes or
    descriptions. Such a word is never changed, nor is a short one or one with a digit, which names a model or a size.
    An unknown one becomes the word of the searched fields that is one error away (a letter too many, too few, wrong, or
    two exchanged), else two words typed without their space, else, if it is long, a word two errors away. The first
    letter must agree, as typists rarely miss it; of equally near words the most frequent is taken. A word that shoppers
    often type, such as another name of a product that no title uses, stays.

    Args:
        vocabulary: One row per word: `word`, its `frequency` in the searched fields and `elsewhere` in the catalogue,
            and how often it was `asked`.
        fields: Searched fields.
        stemmer: A Snowball algorithm, or None.

    Raises:
        UsageError: If Snowball has no such algorithm.

    Source: Damerau 1964, "A technique for computer detection and correction of spelling errors" (four in five slips are
    one such error).
    """

    def __init__(self, vocabulary: pa.Table, *, fields: Sequence[str], stemmer: str | None = "english") -> None:
        self._vocabulary, self._fields, self._stemmer = vocabulary, tuple(fields), stemmer
        self._stems_of = Analyser(stemmer).stems
        self._writing = threading.Lock()
        is_asked = pc.greater(vocabulary.column("asked"), 0)
        self._asked: dict[str, int] = dict(_pairs(vocabulary.filter(is_asked), "asked"))
        self._frequency: dict[str, int] = {}
        self._by_shape: dict[tuple[str, int], list[str]] = defaultdict(list)
        self._stems: set[str] = set()
        is_searched, is_elsewhere = (pc.greater(vocabulary.column(name), 0) for name in ("frequency", "elsewhere"))
        elsewhere = vocabulary.filter(is_elsewhere).column("word").to_pylist()
        self._add(dict(_pairs(vocabulary.filter(is_searched), "frequency")), elsewhere)
        self._nearest = lru_cache(_CACHED_WORDS)(self._find_nearest)

    @classmethod
    def build(
        cls,
        products: pa.Table,
        *,
        fields: Sequence[str] = ("title", "description"),
        stemmer: str | None = "english",
        asked: pa.Table | None = None,
    ) -> Speller:
        """Read the words of a catalogue.

        Args:
            products: Products table.
            fields: Fields that are searched by words.
            stemmer: A Snowball algorithm, or None.
            asked: Queries of a log, `text`, and how often each was asked, `searches`; None: no log is known.

        Raises:
            UsageError: If Snowball has no such algorithm.
        """
        vocabulary = _words_of(products, fields).join(_asked_words(asked), "word", join_type="full outer")
        columns = {name: pc.fill_null(vocabulary.column(name), 0) for name in ("frequency", "elsewhere", "asked")}
        vocabulary = pa.table({"word": vocabulary.column("word"), **columns}).sort_by("word").combine_chunks()
        return cls(vocabulary, fields=fields, stemmer=stemmer)

    def learn(self, products: pa.Table) -> None:
        """Make the words of new or changed products known, from the next query on; any thread may call it."""
        texts = product_text(products).by_weight()
        searched, elsewhere = Counter[str](), list[str]()
        for name, column in texts.items():
            found = words(" ".join(column.to_pylist()))  # a few rows: arithmetic over columns is mostly its calls
            if name in self._fields:
                searched.update(found)
            else:
                elsewhere += found
        with self._writing:
            known = len(self._stems)
            self._add(searched, elsewhere)
            if len(self._stems) > known:
                self._nearest.cache_clear()

    def correct(self, text: str) -> str | None:
        """Return a query with its unknown words replaced; None where there is nothing to replace.

        >>> speller = Speller.build(pa.table({"product_id": list("abc"), "title": ["Wooden garden chair"] * 3}))
        >>> speller.correct("woden gardenchair"), speller.correct("chairs")
        ('wooden garden chair', None)
        """
        typed = words(text)
        meant = [self._meant(word) for word in typed]
        return " ".join(meant) if meant != typed else None

    def corrected(self, texts: Sequence[str]) -> list[str]:
        """Return queries with their unknown words replaced; one without any stays as it was typed."""
        if len(texts) == 1:  # a live search: columns would cost ten times as much
            return [self.correct(texts[0]) or texts[0]]
        lists = word_lists(pa.array(texts, pa.string()))
        typed = lists.flatten().dictionary_encode()
        # Word by distinct word: most stand in many queries.
        meant = pa.array([self._meant(word) for word in typed.dictionary.to_pylist()], pa.string())
        is_changed = pc.not_equal(meant, typed.dictionary)
        if not pc.any(is_changed).as_py():
            return list(texts)
        joined = pc.binary_join(pa.ListArray.from_arrays(lists.offsets, meant.take(typed.indices)), " ")
        before = pc.binary_join(lists, " ")
        return list(pc.if_else(pc.equal(joined, before), pa.array(texts, pa.string()), joined).to_pylist())

    def save(self, folder: Path) -> None:
        """Write what `build` read into a folder (made if it is missing); what was learnt since is not in it."""
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(self._vocabulary, folder / _FILE)
        seal_folder(folder, kind=_KIND, values={"fields": self._fields, "stemmer": self._stemmer}, files=[_FILE])

    @classmethod
    def load(cls, folder: Path) -> Speller:
        """Read what `save` wrote.

        Raises:
            WorkspaceError: If the folder is missing or damaged.
        """
        values = unseal_folder(folder, kind=_KIND)
        try:
            return cls(pq.read_table(folder / _FILE), fields=values["fields"], stemmer=values["stemmer"])
        except (OSError, pa.ArrowException, KeyError) as error:
            raise damaged(folder, str(error)) from error

    def _add(self, searched: Mapping[str, int], elsewhere: Iterable[str]) -> None:
        self._stems.update(self._stems_of([*searched, *elsewhere]))
        for word, count in searched.items():
            if word not in self._frequency:
                self._by_shape[word[0], len(word)].append(word)
            self._frequency[word] = self._frequency.get(word, 0) + count

    def _meant(self, word: str) -> str:
        if len(word) < _LEAST_LENGTH or not word.isalpha() or self._is_known(word):
            return word
        return self._nearest(word)

    def _is_known(self, word: str) -> bool:
        return self._stems_of([word])[0] in self._stems

    def _find_nearest(self, word: str) -> str:
        for meant in (self._near(word, 1), self._halves(word), self._near(word, 2)):
            if meant is not None:
                return word if self._is_usual(word, meant) else meant
        return word

    def _near(self, word: str, distance: int) -> str | None:
        """Return the most frequent word at a distance, in the order of the alphabet among equals."""
        if distance == 2 and len(word) < _TWO_ERRORS_FROM:
            return None
        shortest = max(_LEAST_LENGTH, len(word) - distance)
        shapes = ((word[0], length) for length in range(shortest, len(word) + distance + 1))
        choices = [other for shape in shapes for other in self._by_shape.get(shape, ())]
        found = extract(word, choices, scorer=OSA.distance, score_cutoff=distance, limit=None, processor=None)
        return min((other for other, _, _ in found), key=lambda other: (-self._frequency[other], other), default=None)

    def _halves(self, word: str) -> str | None:
        """Return two words that make up this one, those whose rarer one is the most frequent."""
        cuts = ((word[:place], word[place:]) for place in range(_LEAST_HALF, len(word) - _LEAST_HALF + 1))
        known = [cut for cut in cuts if all(self._frequency.get(half, 0) >= _LEAST_HALF_FREQUENCY for half in cut)]
        best = max(known, key=lambda cut: min(self._frequency[half] for half in cut), default=None)
        return " ".join(best) if best is not None else None

    def _is_usual(self, word: str, meant: str) -> bool:
        asked = self._asked.get(word, 0)
        return asked >= _LEAST_ASKED and asked >= _LEAST_SHARE * min(self._asked.get(one, 0) for one in meant.split())


class SpelledRetriever:
    """A retriever by words that is asked for what a query's words were meant to be.

    Args:
        lexical: Is asked.
        speller: Mends the queries.
    """

    def __init__(self, lexical: Retriever, speller: Speller) -> None:
        self._lexical, self._speller = lexical, speller

    @property
    def name(self) -> str:
        """Name in tables and JSON: that of the retriever which is asked."""
        return self._lexical.name

    def retrieve(self, queries: QueryBatch, *, k: int) -> Ranking:
        """Return the k best products of each mended query; see `Retriever.retrieve`."""
        return self._lexical.retrieve(replace(queries, texts=self._speller.corrected(queries.texts)), k=k)


def _texts(products: pa.Table, fields: Sequence[str]) -> Iterator[pa.Array]:
    """Yield the texts of some fields, chunk by chunk: a chunk is joined into one string when it is cut into words."""
    for start in range(0, products.num_rows, _CHUNK):
        if fields:
            yield product_text(products.slice(start, _CHUNK)).of_fields(fields)


def _occurrences(chunks: Iterable[pa.Array], name: str) -> pa.Table:
    """Count words over chunks of texts, as columns `word` and `name`."""
    counted = [word_lists(texts).flatten().value_counts() for texts in chunks]
    word = pa.chunked_array([one.field("values") for one in counted], pa.string())
    count = pa.chunked_array([one.field("counts") for one in counted], pa.int64())
    return _summed(word, count, name)


def _words_of(products: pa.Table, fields: Sequence[str]) -> pa.Table:
    """Count the words of a catalogue, in the searched fields and in all others."""
    others = [name for name in TEXT_FIELDS if name not in fields]
    searched, elsewhere = (
        _occurrences(_texts(products, names), name) for names, name in ((fields, "frequency"), (others, "elsewhere"))
    )
    joined = searched.join(elsewhere, "word", join_type="full outer")
    counts = {name: pc.fill_null(joined.column(name), 0) for name in ("frequency", "elsewhere")}
    return pa.table({"word": joined.column("word"), **counts})


def _asked_words(asked: pa.Table | None) -> pa.Table:
    if asked is None:
        return _occurrences([], "asked")
    lists = word_lists(asked.column("text").combine_chunks())
    searches = asked.column("searches").combine_chunks().cast(pa.int64())
    return _summed(lists.flatten(), searches.take(pc.list_parent_indices(lists)), "asked")


def _summed(word: pa.Array | pa.ChunkedArray, count: pa.Array | pa.ChunkedArray, name: str) -> pa.Table:
    summed = pa.table({"word": word, name: count}).group_by("word").aggregate([(name, "sum")])
    return summed.select(["word", f"{name}_sum"]).rename_columns(["word", name])


def _pairs(vocabulary: pa.Table, name: str) -> Iterator[tuple[str, int]]:
    return zip(vocabulary.column("word").to_pylist(), vocabulary.column(name).to_pylist(), strict=True)
