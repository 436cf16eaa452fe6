"""The yardstick: an endpoint of the same stack and settings that reads a JSON body and answers it.

The same stack: server, framework, the service's request log and its problem answers; no rules and
no database.

python echo.py PORT
"""

from __future__ import annotations

import json
import sys

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from kette.api import problems
from kette.api.app import RequestLog
from kette.logs import configure_logs

app = FastAPI(title="Echo")
problems.install(app)
app.add_middleware(RequestLog)


@app.post("/echo")
async def echo(request: Request) -> JSONResponse:
    return JSONResponse(json.loads(await request.body()))


@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


if __name__ == "__main__":
    configure_logs(as_json=True)
    # As in kette.cli.serving.
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=65,
    )
