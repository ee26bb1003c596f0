import os
import sqlite3
import threading
import time

import pytest

from aisle.core.errors import UsageError
from aisle.store.journal_writer import GroupWriter


@pytest.fixture
def log():
    return []


@pytest.fixture
def writer(log):
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE numbers (number INTEGER UNIQUE)")
    connection.set_trace_callback(lambda sql: log.append(sql.split()[0]))
    writer = GroupWriter(
        connection,
        mark=count,
        committed=lambda mark: log.append(f"told {mark}"),
        readable=lambda error: OSError(str(error)),
    )
    yield writer
    writer.close()


def count(connection):
    return connection.execute("SELECT count(*) FROM numbers").fetchone()[0]


def insert(number):
    return lambda connection: connection.execute("INSERT INTO numbers VALUES (?)", (number,)).lastrowid


def numbers(writer):
    return writer.maintain(lambda connection: [row[0] for row in connection.execute("SELECT number FROM numbers")])


def until(condition):
    """Let other threads run until something holds; give up when it never does."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()


def all_at_once(writer, works):
    """Let the works wait behind a first one, so that they come as one group; return results or errors in order."""
    started, go, answers = threading.Event(), threading.Event(), [None] * len(works)

    def hold(_):
        started.set()
        assert go.wait(20)

    def call(place, work):
        try:
            answers[place] = writer.transact(work)
        except OSError as error:
            answers[place] = error

    first = threading.Thread(target=writer.transact, args=(hold,))
    first.start()
    assert started.wait(20)
    threads = [threading.Thread(target=call, args=one) for one in enumerate(works)]
    for thread in threads:
        thread.start()
    until(lambda: writer._jobs.qsize() == len(works))
    go.set()
    for thread in [first, *threads]:
        thread.join(20)
    return answers


def test_work_is_committed_before_its_result_comes_back(writer, log):
    assert writer.transact(insert(7)) == 1
    assert log == ["BEGIN", "INSERT", "SELECT", "COMMIT", "told 1"]
    assert numbers(writer) == [7]


def test_callers_that_wait_share_one_commit(writer, log):
    answers = all_at_once(writer, [insert(number) for number in range(9)])
    assert sorted(answers) == list(range(1, 10))
    assert log.count("COMMIT") == 2  # the first one's, and one for all others
    assert sorted(numbers(writer)) == list(range(9))


def test_an_error_reaches_the_caller_that_caused_it_and_no_other(writer):
    answers = all_at_once(writer, [insert(1), insert(2), insert(1), insert(3)])
    errors = [answer for answer in answers if isinstance(answer, Exception)]
    assert [str(error) for error in errors] == ["UNIQUE constraint failed: numbers.number"]
    assert isinstance(errors[0], OSError)
    assert sorted(numbers(writer)) == [1, 2, 3]


def test_work_that_raises_writes_nothing(writer):
    def half(connection):
        insert(5)(connection)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        writer.transact(half)
    assert numbers(writer) == []


def test_maintenance_runs_outside_a_transaction(writer):
    assert writer.transact(lambda connection: connection.in_transaction)
    assert not writer.maintain(lambda connection: connection.in_transaction)
    with pytest.raises(OSError, match="no such table"):
        writer.maintain(lambda connection: connection.execute("SELECT * FROM missing"))


def test_what_waits_is_finished_before_the_end_and_nothing_after(writer, log):
    started, go = threading.Event(), threading.Event()

    def hold(_):
        started.set()
        assert go.wait(20)

    threads = [threading.Thread(target=writer.transact, args=(work,)) for work in (hold, insert(4))]
    threads[0].start()
    assert started.wait(20)
    threads[1].start()
    until(lambda: writer._jobs.qsize() == 1)
    closing = threading.Thread(target=writer.close)
    closing.start()
    until(lambda: not writer._is_open)
    go.set()
    for thread in [*threads, closing]:
        thread.join(20)
    assert log.count("INSERT") == 1
    assert log[-1] == "told 1"
    with pytest.raises(UsageError, match="The journal must be open"):
        writer.transact(insert(6))
    writer.close()
