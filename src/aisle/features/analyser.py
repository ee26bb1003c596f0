"""From text to terms: the project's words, reduced to stems; for BM25 and for hashed terms alike."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import Stemmer

from aisle.core.errors import UsageError
from aisle.core.text import word_lists

__all__ = ["Analyser"]


class Analyser:
    """Cuts text into the project's words and reduces them to stems.

    No word is dropped as a stop word: the inverse document frequency already makes them light, and in short product
    texts a "for" or a "2 in 1" tells an accessory from the device.

    >>> Analyser("english").terms(pa.array(["Running shoes", None])).to_pylist()
    [['run', 'shoe'], []]

    Args:
        stemmer: A Snowball algorithm, such as "english"; None keeps words whole.

    Raises:
        UsageError: If Snowball has no such algorithm.

    Source: Porter 2001, "Snowball: A language for stemming algorithms".
    """

    def __init__(self, stemmer: str | None = "english") -> None:
        if stemmer is not None and stemmer not in Stemmer.algorithms(aliases=True):
            raise UsageError(
                "The stemmer must be one of Snowball's",
                received={"stemmer": stemmer},
                remedy=f"Choose among {', '.join(Stemmer.algorithms())}, or none.",
            )
        self.stemmer = stemmer
        self.stems: Callable[[list[str]], list[str]] = list if stemmer is None else Stemmer.Stemmer(stemmer).stemWords

    def terms(self, texts: pa.Array) -> pa.ListArray:
        """Return the terms of each text, in order and with repetitions, as lists of dictionary-encoded strings.

        A distinct word is stemmed once, however often the texts repeat it.

        Args:
            texts: Raw text; a null counts as empty.
        """
        lists = word_lists(texts)
        words = lists.flatten().dictionary_encode()
        stems = pa.array(self.stems(words.dictionary.to_pylist()), pa.string()).dictionary_encode()
        terms = pa.DictionaryArray.from_arrays(stems.indices.take(words.indices), stems.dictionary)
        return pa.ListArray.from_arrays(pc.subtract(lists.offsets, lists.offsets[0]), terms)
