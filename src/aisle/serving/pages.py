"""The search page and its files, out of the package: no build step and nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.responses import FileResponse
from starlette.types import Scope

__all__ = ["PAGE_FOLDER", "install_page"]

PAGE_FOLDER = Path(str(files("aisle.serving") / "page"))
"""Folder of `index.html` and of all that it loads."""

# A browser asks each time whether a file has changed (ETag), so that an upgraded service never meets its old script.
_REVALIDATE = {"cache-control": "no-cache"}


def install_page(app: FastAPI) -> None:
    """Serve the search page at `/` and its scripts and styles below `/static`."""

    async def index(_request: Request) -> Response:
        return FileResponse(PAGE_FOLDER / "index.html", headers=_REVALIDATE)

    app.add_route("/", index, methods=["GET"], include_in_schema=False)
    app.mount("/static", _PageFiles(directory=PAGE_FOLDER / "static"), name="static")


class _PageFiles(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_REVALIDATE)
        return response
