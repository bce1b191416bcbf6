"""The sockets that the local workspace's servers listen on."""

import socket


def listen(port: int) -> socket.socket:
    """Listens on a port of this machine alone; 0 is one that is free.

    What is written is sent at once, on each connection too. Otherwise the body of an answer would wait for the
    acknowledgement of its headers, which the other side holds back for some 40 ms; asyncio sets this by itself only
    where a socket's protocol is named, which that of `create_server` is not.

    Raises:
        OSError: the port is taken.
    """
    listening = socket.create_server(("127.0.0.1", port))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
