"""The service's life: an address at once, and a server from the first call on.

Importing a web framework takes a good part of a second, which a job that calls no API does not pay.
"""

import os
import secrets
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local_workspace.api.context import Context
from local_workspace.ending import stopped
from local_workspace.listening import listen

if TYPE_CHECKING:
    import uvicorn

# What else the SDK would take its address or its credentials from.
_OTHERS = ("DATABRICKS_CONFIG_PROFILE", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_ACCOUNT_ID")


@contextmanager
def serve_api(context: Context) -> Iterator[None]:
    """Answers this process's SDK as a workspace does, for the length of the block.

    `DATABRICKS_HOST` and `DATABRICKS_TOKEN` name the service meanwhile, and what they were before comes back.
    """
    token = secrets.token_urlsafe()
    service = _Service(context, token)
    before = {name: os.environ.get(name) for name in (*_own(service, token), *_OTHERS)}
    for name in _OTHERS:
        os.environ.pop(name, None)
    os.environ |= _own(service, token)
    with stopped(service.stop):
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def _own(service: "_Service", token: str) -> dict[str, str]:
    return {"DATABRICKS_HOST": service.address, "DATABRICKS_TOKEN": token, "DATABRICKS_AUTH_TYPE": "pat"}


class _Service:
    """A listening socket of this machine alone, and a thread that serves it once somebody calls."""

    def __init__(self, context: Context, token: str) -> None:
        self._context, self._token = context, token
        self._socket = listen(0)
        self._wake, self._woken = socket.socketpair()
        self._server: uvicorn.Server | None = None
        self._is_stopped = False
        self._thread = threading.Thread(target=self._serve, name="workspace-api", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def stop(self) -> None:
        """Ends the thread; a call that is being answered is answered first."""
        self._is_stopped = True
        self._wake.close()
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join()
        self._woken.close()
        self._socket.close()

    def _serve(self) -> None:
        if not self._is_called():
            return
        import uvicorn  # noqa: PLC0415 (see above)

        from local_workspace.api.app import make_app  # noqa: PLC0415 (the same)

        config = uvicorn.Config(make_app(self._context, self._token), log_config=None, access_log=False)
        self._server = uvicorn.Server(config)
        if not self._is_stopped:
            self._server.run(sockets=[self._socket])

    def _is_called(self) -> bool:
        """Waits for the first call, or for the end."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select()]
        return self._woken not in ready
