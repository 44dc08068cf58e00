"""A TCP proxy between a client and a server, with the faults of a network. One thread per direction; plain to read.

    pass         incoming bytes go out
    delay        … after `SECONDS_LATE`
    slice        … three bytes at a time
    swallow      half-open: bytes come in and never go out, and nobody is told; also for new connections
    drop replies only the server's bytes are swallowed: a request was carried out, its confirm is lost

`cut()` closes all connections in order, `reset()` with an RST. While `refusing` is on, new ones are closed at once.
A connection that has lost bytes makes no sense any more. It swallows everything until it is cut or times out.
"""

import socket
import struct
import threading
import time
from contextlib import suppress

SECONDS_LATE = 0.3
SLICE = 3  # bytes
RST = struct.pack("ii", 1, 0)  # linger for zero seconds: close() sends a reset


class _Pair:
    """A client's connection and ours to the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.broken = self.resetting = False

    def close(self, reset: bool = False) -> None:
        """Wake the threads that read from the socket; they then close it.

        A socket stays open while a thread reads from it.
        """
        self.resetting = reset
        for end in (self.client, self.server):
            with suppress(OSError):
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
                end.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)


class Proxy:
    """Listens on a port of 127.0.0.1 and passes on to `target`."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.mode = "pass"
        self.refusing = False
        self._pairs: list[_Pair] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def cut(self) -> None:
        """Close every connection as an ending program does."""
        for pair in self._pairs:
            pair.close()

    def reset(self) -> None:
        """Close every connection with an RST, as a firewall or a rebooted machine does."""
        for pair in self._pairs:
            pair.close(reset=True)

    def forget_broken(self) -> None:
        """Close the connections that have lost bytes. The others live on."""
        for pair in self._pairs:
            if pair.broken:
                pair.close()

    def close(self) -> None:
        """Accept no more connections and close the existing ones."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                client, _ = self._listener.accept()
                if self.refusing:
                    client.close()
                    continue
                try:
                    server = socket.create_connection(self.target, 5)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                pair = _Pair(client, server)
                self._pairs = [each for each in self._pairs if each.client.fileno() >= 0] + [pair]
                for source, sink, is_reply in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._carry, args=(pair, source, sink, is_reply), daemon=True).start()

    def _carry(self, pair: _Pair, source: socket.socket, sink: socket.socket, is_reply: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if self.mode == "swallow" or (self.mode == "drop replies" and is_reply):
                    pair.broken = True
                if pair.broken and (is_reply or self.mode != "drop replies"):
                    continue
                if self.mode == "delay":
                    time.sleep(SECONDS_LATE)
                size = SLICE if self.mode == "slice" else len(data)
                for start in range(0, len(data), size):
                    sink.sendall(data[start : start + size])
        for end in (source, sink):
            with suppress(OSError):
                if not pair.resetting:
                    end.shutdown(socket.SHUT_RDWR)
            end.close()
