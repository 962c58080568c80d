"""An application as its users write it: it knows 127.0.0.1 and nothing of TLS, tokens or sidecars.

It appends 1, 2, 3 … to the list journal:$HOSTNAME, one command at a time and none twice, and serves what it knows of
them as JSON on port 8080: {"next": n, "refused": [n…], "unknown": [n…], "faults": [text…]}; all others below n were
acknowledged. After SIGTERM it goes on for --farewell seconds, finishes the command that it is at, prints the same JSON
and exits 0.

At SIGUSR1 it also opens --hoard connections and leaves a big reply unread on each, which is what fills a proxy's
memory; after the proxy's end it does so again, --times in all.
"""

import argparse
import http.server
import json
import os
import signal
import socket
import sys
import threading
import time

import redis


class Journal:
    def __init__(self, port):
        self.key = "journal:" + os.environ["HOSTNAME"]
        self.account = {"next": 1, "refused": [], "unknown": [], "faults": []}
        self.client = redis.Redis(host="127.0.0.1", port=port, socket_timeout=30)

    def write(self):
        number = self.account["next"]
        self.account["unknown"].append(number)  # until there is an answer; others may ask for the account meanwhile
        self.account["next"] = number + 1
        try:
            self.client.rpush(self.key, number)
            self.account["unknown"].remove(number)
        except redis.RedisError as fault:
            if isinstance(fault, redis.ResponseError):
                self.account["refused"].append(number)
                self.account["unknown"].remove(number)
            self.account["faults"].append("%d: %s: %s" % (number, type(fault).__name__, fault))


def serve(account):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(account).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("", 8080), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def hoard(port, count, times):
    """Opens the connections, keeps them until the proxy ends, and does it again."""
    while times > 0:
        kept = []
        try:
            # One without a reply on its way: the others' end comes behind what they do not read.
            idle = socket.create_connection(("127.0.0.1", port))
            redis.Redis(host="127.0.0.1", port=port).set("hoard", b"x" * 100_000)
            for _ in range(count):
                connection = socket.create_connection(("127.0.0.1", port))
                kept.append(connection)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.sendall(b"GET hoard\r\n")
            idle.recv(1)
        except (redis.RedisError, OSError):
            time.sleep(0.1)  # it is not there, or not there any more
        times -= 1 if kept else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=6379)
    parser.add_argument("--per-second", type=float, default=50)
    parser.add_argument("--farewell", type=float, default=0)
    parser.add_argument("--hoard", type=int, default=0)
    parser.add_argument("--times", type=int, default=1)
    arguments = parser.parse_args()

    last = None
    told = threading.Event()

    def on_signal(*_):
        nonlocal last
        last = time.monotonic() + arguments.farewell
        told.set()

    signal.signal(signal.SIGTERM, on_signal)
    journal = Journal(arguments.port)
    journal.write()  # at once: there is no reason to wait for a sidecar
    serve(journal.account)
    hoarding = threading.Thread(target=hoard, args=(arguments.port, arguments.hoard, arguments.times), daemon=True)
    signal.signal(signal.SIGUSR1, lambda *_: hoarding.start())
    while last is None or time.monotonic() < last:
        if last is None:
            told.wait(1 / arguments.per_second)
        else:
            time.sleep(1 / arguments.per_second)
        journal.write()
    print(json.dumps(journal.account), flush=True)


if __name__ == "__main__":
    sys.exit(main())
