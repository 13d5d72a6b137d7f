"""The application of this door: routes, problems, observation, and its description."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from settlement.api import problems
from settlement.api.access import Api
from settlement.api.known_query import known_query_only
from settlement.api.metrics import Observed
from settlement.api.overload import Kind, Shedding
from settlement.api.routes import (
    access,
    books,
    members,
    operations,
    plans,
    platform,
    reconciliations,
    records,
    reratings,
    settlements,
)

AT_ONCE: Mapping[Kind, int] = {Kind.QUOTE: 5, Kind.COMMAND: 400}
"""Half of a pool's connections for quotes, so that a settlement never waits for one."""

DESCRIPTION = """
Puts a trade union's medical mutual aid on the hospital bill itself. The city's insurance settles the bill; we read its
answer, apply the union's plan to what is left, and write one combined record.

Amounts are strings in yuan with two decimals, times carry China's offset. Errors are RFC 9457 problems whose sentence
says first how the money stands, then what to do (Chinese; English with `Accept-Language: en`). Writes take an
`Idempotency-Key`: the same command under the same key is done once and answered alike.
"""


def create_api(
    open_api: Callable[[], AbstractAsyncContextManager[Api]], at_once: Mapping[Kind, int] = AT_ONCE
) -> FastAPI:
    """Return the application; `open_api` opens what the roof hands to it and closes it at the end.

    `at_once` is how many requests of each class it answers at once.

    Its documentation page brings its own scripts: a hospital network reaches no other server.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_api() as api:
            app.state.api = api
            yield

    app = FastAPIOffline(
        title="One-bill settlement",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
    )
    problems.install(app)
    for subject in (
        access,
        settlements,
        records,
        reratings,
        platform,
        members,
        plans,
        books,
        reconciliations,
        operations,
    ):
        app.include_router(subject.router, dependencies=[Depends(known_query_only)])
    app.include_router(reconciliations.uploads, dependencies=[Depends(known_query_only)])
    app.add_middleware(Shedding, most=at_once)
    app.add_middleware(Observed)
    return app
