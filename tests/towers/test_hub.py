import base64
import hashlib
import json
import shutil
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from huggingface_hub.utils import close_session

from aisle.core.errors import ModelError, UsageError
from aisle.towers import TwoTower
from aisle.towers.hub import fetch_model, push_model, verified_model

REPO = "shop/model"


class Hub:
    """As much of the Hugging Face Hub as one repository needs: commits of files, and their download."""

    def __init__(self):
        self.commits = {}
        self.branches = {}
        self.private = None
        self.url = ""

    @property
    def files(self):
        return self.commits[self.branches["main"]]

    def commit(self, files, branch="main"):
        name = hashlib.sha1(repr((sorted(files.items()), len(self.commits))).encode()).hexdigest()
        self.commits[name], self.branches[branch] = files, name
        return name

    def answer(self, method, path, body):
        """Return status, headers and body."""
        if path == "/api/repos/create":
            asked = json.loads(body)
            self.private = asked.get("visibility") == "private" or asked.get("private") is True
            if not self.commits:
                self.commit({".gitattributes": b"*.bin lfs"})
            return 200, {}, {"url": f"{self.url}/{REPO}"}
        if not self.commits:
            return 404, {"X-Error-Code": "RepoNotFound"}, {"error": "Repository not found"}
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts[0] != "api":
            return self._resolve(parts[3], "/".join(parts[4:]))
        action = parts[4] if len(parts) > 4 else "revision"
        revision = parts[5] if len(parts) > 5 else "main"
        if action == "branch":
            self.branches.setdefault(revision, self.branches["main"])
            return 200, {}, {}
        if self._commit_of(revision) is None:
            return 404, {"X-Error-Code": "RevisionNotFound"}, {"error": "Revision not found"}
        return getattr(self, f"_{action}")(revision, body)

    def _commit_of(self, revision):
        return revision if revision in self.commits else self.branches.get(revision)

    def _revision(self, revision, _body):
        name = self._commit_of(revision)
        siblings = [{"rfilename": file} for file in self.commits[name]]
        return 200, {}, {"id": REPO, "sha": name, "siblings": siblings, "private": True, "tags": [], "downloads": 0}

    def _tree(self, revision, _body):
        files = self.commits[self._commit_of(revision)]
        return 200, {}, [
            {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
            for name, data in files.items()
        ]  # fmt: skip

    def _preupload(self, _revision, body):
        files = json.loads(body)["files"]
        return (
            200,
            {},
            {"files": [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]},
        )

    def _commit(self, branch, body):
        files = dict(self.commits[self._commit_of(branch)])
        for line in map(json.loads, body.decode().splitlines()):
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "deletedFile":
                del files[line["value"]["path"]]
        name = self.commit(files, branch)
        return 200, {}, {"commitUrl": f"{self.url}/{REPO}/commit/{name}", "commitOid": name}

    def _resolve(self, revision, file):
        name = self._commit_of(revision)
        data = self.commits[name].get(file)
        if data is None:
            return 404, {"X-Error-Code": "EntryNotFound"}, {"error": "Entry not found"}
        return 200, {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": name}, data


@contextmanager
def serve(hub):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, found = hub.answer(self.command, urlsplit(self.path).path, body)
            data = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_POST = do_HEAD = reply  # noqa: N815

        def log_message(self, *_):
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def hub(monkeypatch):
    # The machine may forbid downloads and name a proxy: neither is for a server of this process.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    close_session()
    with serve(Hub()) as hub:
        yield hub
    close_session()


@pytest.fixture
def folder(learnt_shop, tmp_path):
    return shutil.copytree(learnt_shop.folder("model"), tmp_path / "model")


def test_a_whole_folder_is_verified_and_a_card_may_be_edited(folder):
    (folder / "README.md").write_text("license: mit")
    (folder / "LICENSE").write_text("MIT")
    (folder / ".gitattributes").write_text("*")
    assert verified_model(folder) == folder


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_changed_or_missing_file_is_refused_before_it_is_read(folder, name):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-1])
    with pytest.raises(ModelError, match=rf"as its manifest records it.*{name}.*changed"):
        TwoTower.from_pretrained(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=r"missing"):
        TwoTower.from_pretrained(str(folder))


def test_a_file_that_no_manifest_names_is_refused(folder):
    (folder / "transformer").mkdir()
    (folder / "transformer" / "extra.py").write_text("print()")
    with pytest.raises(ModelError, match=r"no files but those of its manifest.*transformer/extra\.py"):
        TwoTower.from_pretrained(folder)


def test_a_folder_needs_a_manifest_and_no_revision(folder, tmp_path):
    with pytest.raises(UsageError, match=r"revision must come with a repository"):
        fetch_model(folder, revision="main")
    (folder / "manifest.json").unlink()
    with pytest.raises(ModelError, match=r"must hold a manifest"):
        fetch_model(folder)


def test_a_model_comes_back_as_it_was_pushed(hub, folder, tmp_path):
    model = TwoTower.load(folder)
    commit = model.push_to_hub(REPO, endpoint=hub.url, token="t")
    assert hub.private is True
    assert set(hub.files) == {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} | {
        ".gitattributes"
    }
    options = {"endpoint": hub.url, "cache_dir": tmp_path / "cache", "token": "t"}
    back = TwoTower.from_pretrained(REPO, **options)
    np.testing.assert_array_equal(back.encode_queries(["word3", "x"]), model.encode_queries(["word3", "x"]))
    hub.commit({**hub.files, "config.json": b"{}"})
    with pytest.raises(ModelError, match=r"config\.json.*changed"):
        TwoTower.from_pretrained(REPO, **options)
    assert (fetch_model(REPO, revision=commit, **options) / "config.json").read_bytes() != b"{}"
    kept = fetch_model(REPO, revision=commit, local_files_only=True, **{**options, "endpoint": "http://127.0.0.1:1"})
    assert verified_model(kept)


def test_a_second_push_leaves_nothing_of_the_first(hub, folder):
    push_model(folder, REPO, endpoint=hub.url, token="t", private=False)
    hub.commit({**hub.files, "old.safetensors": b"of an earlier model"})
    push_model(folder, REPO, endpoint=hub.url, token="t")
    assert "old.safetensors" not in hub.files


def test_a_branch_is_a_revision(hub, folder, tmp_path):
    push_model(folder, REPO, endpoint=hub.url, token="t", revision="trial")
    assert set(hub.files) == {".gitattributes"}
    found = fetch_model(REPO, revision="trial", endpoint=hub.url, token="t", cache_dir=tmp_path / "cache")
    assert TwoTower.load(found).embedding_dim == 24


def test_only_whole_models_are_pushed(hub, folder):
    model = TwoTower.load(folder)
    in_memory = TwoTower(model.featuriser, model.network, model.config)
    with pytest.raises(ModelError, match="must come from a folder"):
        in_memory.push_to_hub(REPO, endpoint=hub.url)
    (folder / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"config\.json"):
        model.push_to_hub(REPO, endpoint=hub.url)
    assert hub.commits == {}


def test_what_the_hub_has_not_is_said(hub, tmp_path, folder):
    options = {"endpoint": hub.url, "cache_dir": tmp_path / "cache", "token": "t"}
    for name in (REPO, "no/such/folder"):
        with pytest.raises(UsageError, match=rf"a folder, or a repository of the Hub.*{name}"):
            fetch_model(name, **options)
    push_model(folder, REPO, endpoint=hub.url, token="t")
    with pytest.raises(UsageError, match=r"revision='gone'"):
        fetch_model(REPO, revision="gone", **options)
    with pytest.raises(UsageError, match=r"The Hub must take the model.*a name with blanks"):
        push_model(folder, "a name with blanks", endpoint=hub.url, token="t")
