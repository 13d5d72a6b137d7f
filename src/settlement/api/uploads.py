"""Uploads of lists: a form with a file, which is kept on disk while it is read, for callers with a valid token only."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Request, Response, UploadFile
from fastapi.routing import APIRoute

from settlement.api.exact_json import refuse_strangers

LARGEST_UPLOAD_BYTES = 1 << 30
"""A day of some 300,000 bills."""


class UploadRequest(Request):
    """A request whose body is read no further than `LARGEST_UPLOAD_BYTES`."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body. Raises an `HTTPException` where it is too large."""
        received = 0
        async for chunk in super().stream():
            received += len(chunk)
            if received > LARGEST_UPLOAD_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            yield chunk


class UploadRoute(APIRoute):
    """A route that takes a file, and looks at the token before the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the usual handler, given a bounded request."""
        handler = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            await refuse_strangers(request)
            return await handler(UploadRequest(request.scope, request.receive))

        return bounded


@asynccontextmanager
async def on_disk(upload: UploadFile) -> AsyncIterator[Path]:
    """Lend the uploaded file as a path with the ending that its name has; it is removed afterwards."""
    suffix = Path(upload.filename or "").suffix.lower()
    with tempfile.NamedTemporaryFile(prefix="settlement-list-", suffix=suffix) as kept:
        await asyncio.to_thread(shutil.copyfileobj, upload.file, kept)
        kept.flush()
        yield Path(kept.name)
