"""Real HTTP servers on loopback for the sandbox: uvicorn in threads, on free ports, without access logs."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

LOOPBACK = "127.0.0.1"
_START_SECONDS = 10.0


class _DroppableProtocol(H11Protocol):
    """Lets faults reach the TCP connection, as `scope["state"]["transport"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, "transport": transport}


class _Served(uvicorn.Server):
    """Says when it is ready, and leaves signals to the program it runs in."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_DroppableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=60,
                timeout_graceful_shutdown=2,
            )
        )
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


@contextmanager
def running(apps: Mapping[str, ASGIApp]) -> Iterator[dict[str, str]]:
    """Serve each app on a free port while the block runs; yields name -> base URL, without a slash at the end."""
    with running_on(apps, dict.fromkeys(apps, 0)) as urls:
        yield urls


@contextmanager
def running_on(apps: Mapping[str, ASGIApp], ports: Mapping[str, int]) -> Iterator[dict[str, str]]:
    """Serve each app on its port, 0 being any free one. Raises OSError if a port is taken."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(_serving(name, app, ports[name])) for name, app in apps.items()}


def serve(apps: Mapping[str, ASGIApp], ports: Mapping[str, int], ready: Callable[[dict[str, str]], None]) -> None:
    """Serve in the foreground until interrupted (Ctrl-C); `ready` hears name -> base URL once all answer."""
    with running_on(apps, ports) as urls:
        ready(urls)
        try:
            Event().wait()
        except KeyboardInterrupt:
            return


@contextmanager
def _serving(name: str, app: ASGIApp, port: int) -> Iterator[str]:
    # Tearing down connections is this server's trade; uvicorn reports each as an error of the app.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    listening = socket.create_server((LOOPBACK, port), backlog=128)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else head and body of an answer lie 40 ms apart
    server = _Served(app)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, name=f"sandbox-{name}", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_START_SECONDS):
            raise TimeoutError(f"the sandbox server of {name} did not start within {_START_SECONDS:.0f} s")
        yield f"http://{LOOPBACK}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
