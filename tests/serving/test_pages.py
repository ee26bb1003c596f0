import re

import pytest

from aisle.serving.pages import PAGE_FOLDER

FILES = sorted(path for path in PAGE_FOLDER.rglob("*") if path.is_file())


def test_the_page_is_html_and_loads_only_files_that_are_served(client):
    response = client.get("/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', response.text)
    assert {path.rsplit(".", 1)[-1] for path in loaded} == {"css", "js"}
    assert [client.get(path).status_code for path in loaded] == [200] * len(loaded)


def test_every_module_that_a_script_imports_is_served_as_javascript(client):
    imported = {
        name for path in FILES if path.suffix == ".js" for name in re.findall(r'from "\./([^"]+)"', path.read_text())
    }
    assert imported
    for name in imported:
        assert "javascript" in client.get(f"/static/{name}").headers["content-type"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_reaches_outside_the_service_or_writes_markup(path):
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)


def test_the_page_holds_no_inline_script_or_style():
    page = (PAGE_FOLDER / "index.html").read_text()
    assert re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL) == [""]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)


def test_an_unchanged_file_is_not_sent_again(client):
    first = client.get("/static/app.js")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/static/app.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/static/", "/static/missing.js", "/static/../index.html", "/static/%2e%2e/index.html"]
)
def test_other_paths_are_problem_documents(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_head_answers_without_a_body(client):
    response = client.head("/")
    assert (response.status_code, response.content) == (200, b"")
