import contextlib
import os
import sqlite3

import pytest

from aisle.core.errors import WorkspaceError
from aisle.store.journal_database import DATABASE_NAME, Witness, lock_folder, open_reader, open_writer, readable


def opened(folder, *, acknowledged=0, accept_loss=False):
    folder.mkdir(exist_ok=True)
    return contextlib.closing(open_writer(folder, acknowledged=acknowledged, accept_loss=accept_loss))


def pragma(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_the_witness_remembers_the_last_offset(tmp_path):
    witness = Witness(tmp_path)
    assert witness.read() == 0
    for offset in (1, 2**62, 7):
        witness.write(offset)
        assert Witness(tmp_path).read() == offset
    witness.close()
    witness.close()


def test_a_witness_that_is_not_whole_knows_nothing(tmp_path):
    witness = Witness(tmp_path)
    witness.write(5)
    witness.close()
    path = tmp_path / "acknowledged"
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        assert witness.read() == 0
    path.write_bytes(b"\1" + data[1:])
    assert witness.read() == 0


def test_a_witness_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "acknowledged").mkdir()
    witness = Witness(tmp_path)
    witness.write(5)
    assert list((tmp_path / "acknowledged").iterdir()) == []


def test_a_new_database_flushes_every_commit_and_overwrites_what_is_deleted(tmp_path):
    with opened(tmp_path / "journal") as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2
        assert pragma(connection, "secure_delete") == 1
        assert pragma(connection, "auto_vacuum") == 2
        assert connection.execute("SELECT head FROM state").fetchone() == (0,)
    assert not (tmp_path / "journal" / f"{DATABASE_NAME}.partial").exists()


def test_a_killed_creation_is_started_again(tmp_path):
    (tmp_path / f"{DATABASE_NAME}.partial").write_bytes(b"half")
    (tmp_path / f"{DATABASE_NAME}-wal").write_bytes(b"of another database")
    with opened(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (0,)


def test_a_reader_cannot_write(tmp_path):
    with opened(tmp_path) as writer, contextlib.closing(open_reader(tmp_path)) as reader:
        writer.execute("UPDATE state SET head = 3")
        assert reader.execute("SELECT head FROM state").fetchone() == (3,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("UPDATE state SET head = 4")


def test_a_reader_needs_a_journal(tmp_path):
    with pytest.raises(WorkspaceError, match="The journal's folder must be there"):
        open_reader(tmp_path)


def test_a_second_lock_is_refused_until_the_first_ends(tmp_path):
    first = lock_folder(tmp_path / "journal")
    with pytest.raises(WorkspaceError, match="Only one process may write to a journal"):
        lock_folder(tmp_path / "journal")
    os.close(first)
    os.close(lock_folder(tmp_path / "journal"))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match=r"folder must be there, readable and writable.*file/journal"):
        lock_folder(tmp_path / "file" / "journal")


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"product_id,title\n" * 20])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, content):
    (tmp_path / DATABASE_NAME).write_bytes(content)
    with pytest.raises(WorkspaceError, match=r"The journal must be readable.*is no SQLite database"):
        open_writer(tmp_path, acknowledged=0, accept_loss=False)
    assert (tmp_path / DATABASE_NAME).read_bytes() == content


def test_the_database_of_another_program_is_refused(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as other:
        other.execute("CREATE TABLE notes (text)")
    with pytest.raises(WorkspaceError, match="is the database of another program"):
        open_writer(tmp_path, acknowledged=0, accept_loss=False)


def test_another_version_is_refused(tmp_path):
    with opened(tmp_path) as connection:
        connection.execute("PRAGMA user_version = 9")
    for open_it in (open_reader, lambda folder: open_writer(folder, acknowledged=0, accept_loss=False)):
        with pytest.raises(WorkspaceError, match=r"must be of format version 1\. Received: .*format_version=9"):
            open_it(tmp_path)


def fill(connection, rows=200):
    values = ((None, f"p{row}", b"x" * 500, row, row, 0) for row in range(rows))
    connection.executemany("INSERT INTO product_changes VALUES (?, ?, ?, ?, ?, ?)", values)
    connection.execute("UPDATE state SET head = ?", (rows,))


def test_a_database_that_is_cut_short_is_refused(tmp_path):
    with opened(tmp_path) as connection:
        fill(connection)
    path = tmp_path / DATABASE_NAME
    whole = path.read_bytes()
    for cut in (100, 4096, len(whole) // 2, len(whole) - 4096, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(WorkspaceError, match="The journal must be readable"):
            open_writer(tmp_path, acknowledged=200, accept_loss=True)
    path.write_bytes(whole)
    with opened(tmp_path, acknowledged=200) as connection:
        assert connection.execute("SELECT count(*) FROM product_changes").fetchone() == (200,)


def test_rows_beyond_the_head_are_damage(tmp_path):
    with opened(tmp_path) as connection:
        fill(connection)
        connection.execute("UPDATE state SET head = 199")
    with pytest.raises(WorkspaceError, match="it holds offset 200, beyond its head"):
        open_writer(tmp_path, acknowledged=0, accept_loss=False)


def test_what_was_acknowledged_must_be_there(tmp_path):
    with pytest.raises(WorkspaceError, match=r"all that was acknowledged\. Received: .*head=0, acknowledged=3"):
        open_writer(tmp_path, acknowledged=3, accept_loss=False)
    with opened(tmp_path):
        pass
    with pytest.raises(WorkspaceError, match="all that was acknowledged"):
        open_writer(tmp_path, acknowledged=3, accept_loss=False)


def test_offsets_of_a_loss_that_is_accepted_are_not_given_again(tmp_path):
    with opened(tmp_path, acknowledged=3, accept_loss=True) as connection:
        assert connection.execute("SELECT head FROM state").fetchone() == (3,)
    with opened(tmp_path, acknowledged=3) as connection:
        assert connection.execute("SELECT head FROM state").fetchone() == (3,)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (sqlite3.SQLITE_FULL, "There must be room on the disk"),
        (sqlite3.SQLITE_BUSY, "No other program may hold the journal's database"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "No other program may hold the journal's database"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "The journal's folder must be there, readable and writable"),
        (sqlite3.SQLITE_NOTADB, "The journal must be readable"),
        (sqlite3.SQLITE_IOERR_FSYNC, r"must be readable and writable.*disk I/O error.*Look at the disk"),
    ],
)
def test_errors_of_sqlite_tell_what_to_do(tmp_path, code, text):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    with pytest.raises(WorkspaceError, match=text):
        raise readable(error, tmp_path)
