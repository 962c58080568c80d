"""The server and the ways to it: directly, through the proxy, and through its peers. All on loopback, on free ports."""

import itertools
import os
import shlex
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path as File

PASSWORD = "bench-password"
START_LIMIT = 10.0


class StartError(RuntimeError):
    """A program did not begin to serve."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def connect(place):
    """A connection to a port, or to a socket's path."""
    if isinstance(place, int):
        return socket.create_connection(("127.0.0.1", place), timeout=5)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(place)
    return client


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Program:
    """A child process that serves on a port or a socket's path; it ends by stop()."""

    running = set()

    def __init__(self, name, argv, log, place):
        self.name, self.place, self.log = name, place, log
        with open(log, "ab") as out:
            self.began = time.monotonic()
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        Program.running.add(self)

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        """At once: what it would do for its clients is nothing that is measured."""
        self.process.kill()
        self.process.wait()
        Program.running.discard(self)

    @classmethod
    def stop_all(cls):
        for program in list(cls.running):
            program.stop()

    def check(self):
        if self.process.poll() is None and time.monotonic() < self.began + START_LIMIT:
            return
        tail = File(self.log).read_text(errors="replace").splitlines()[-8:]
        raise StartError("\n  ".join([f"{self.name} does not serve, see {self.log}:"] + tail))

    def await_listening(self):
        """Seconds from its start until it can be connected to."""
        while True:
            try:
                connect(self.place).close()
                return time.monotonic() - self.began
            except (ConnectionRefusedError, FileNotFoundError):
                self.check()

    def await_pong(self, password):
        """Seconds from its start until a plain client was answered; for ways that do not speak TLS to clients."""
        greeting, expected = client_greeting(password)
        while True:
            try:
                with connect(self.place) as client:
                    client.sendall(greeting)
                    answer = b""
                    while len(answer) < len(expected) and (part := client.recv(512)):
                        answer += part
                    if answer == expected:
                        return time.monotonic() - self.began
            except OSError:
                pass
            self.check()


def client_greeting(password):
    if password:
        return f"AUTH {password}\r\nPING\r\n".encode(), b"+OK\r\n+PONG\r\n"
    return b"PING\r\n", b"+PONG\r\n"


class Server:
    """A real Valkey with TLS and a password, its certificate of a CA of its own (P-256)."""

    key = "key:__rand_int__"  # what valkey-benchmark asks for, unless told to make keys up

    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.ca, self.port, self.admin = folder / "ca.crt", free_port(), folder / "admin.sock"
        self._make_certificates()
        argv = ["valkey-server", "--port", "0", "--tls-port", str(self.port), "--bind", "127.0.0.1"]
        for name in ("cert", "key", "ca-cert"):
            argv += [f"--tls-{name}-file", str(folder / {"cert": "tls.crt", "key": "tls.key", "ca-cert": "ca.crt"}[name])]
        argv += ["--tls-auth-clients", "no", "--requirepass", PASSWORD, "--save", "", "--appendonly", "no"]
        argv += ["--unixsocket", str(self.admin), "--unixsocketperm", "700", "--dir", str(folder)]
        self.program = Program("valkey-server", argv, folder / "valkey.log", self.port)
        self.program.await_listening()

    def _make_certificates(self):
        request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        keys = {name: str(self.folder / name) for name in ("ca.key", "tls.key", "tls.crt")}
        run(*request, "-subj", "/CN=bench CA", "-keyout", keys["ca.key"], "-out", str(self.ca))
        run(*request, "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-CA", str(self.ca),
            "-addext", "basicConstraints=critical,CA:FALSE", "-CAkey", keys["ca.key"], "-keyout", keys["tls.key"],
            "-out", keys["tls.crt"])

    def set_value(self, size):
        """Gives valkey-benchmark's key a value of `size` bytes."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.admin))
            client.sendall(f"AUTH {PASSWORD}\r\nSET {self.key} {'x' * size}\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := client.recv(512)):
                answer += part
        assert answer == b"+OK\r\n+OK\r\n", answer


@dataclass
class Path:
    """One way from a client to the server."""

    name: str
    server: Server
    benchmark: list  # what valkey-benchmark is told
    place: list  # what bench_clients is told
    program: Program = None  # none: directly
    password: str = ""  # what clients log in with; empty: the way does it for them
    fresh: callable = None  # makes one like it with a process of its own, which is not waited for


def direct_path(server):
    benchmark = ["--tls", "--cacert", str(server.ca), "-h", "127.0.0.1", "-p", str(server.port), "-a", PASSWORD]
    return Path("direct", server, benchmark, ["--tls", str(server.ca), "--password", PASSWORD, str(server.port)])


def plain_path(name, server, program, password):
    at = str(program.place)
    benchmark = ["-h", "127.0.0.1", "-p", at] if isinstance(program.place, int) else ["-s", at]
    login, password_option = (["-a", password], ["--password", password]) if password else ([], [])
    return Path(name, server, benchmark + login, password_option + [at], program, password)


class Peers:
    """Starts whatever stands between clients and the server. Each start is a new process on a new port.

    Programs of one thread share one server with the direct way. Each that has threads, or may have, gets one of its own
    that is like it: HAProxy was 2 to 3 % faster beside stunnel's samples on the same server, perhaps because Linux
    remembers for seconds how many different threads a process woke and places those it wakes by that."""

    def __init__(self, server, folder, binaries):
        self.server, self.folder, self.binaries = server, folder, binaries
        self.notes = []
        self.numbers = itertools.count()
        self.apart = {}  # servers by the peer's name
        usage = subprocess.run([binaries.proxy, "--help"], check=True, capture_output=True, text=True).stdout
        self.has_unix_socket = "--unix-socket" in usage

    def open_all(self):
        """All ways, the direct one first; a peer that is not installed is left out, with a note."""
        makers = {"dedicated": self.dedicated, "dedicated-unix": self.dedicated_unix, "haproxy": self.haproxy,
                  "stunnel": self.stunnel, "probe": self.probe, "probe-unix": self.probe_unix}
        for name, command in parse_peers(os.environ.get("PEERS", "")):
            makers[name] = lambda n=name, c=command: self.foreign(n, c)
        if not self.has_unix_socket:
            del makers["dedicated-unix"]
            self.notes.append("dedicated-unix is left out: this proxy has no --unix-socket")
        paths = [direct_path(self.server)]
        for name, make in makers.items():
            path = None
            try:
                path = make()
                path.program.await_pong(path.password)
            except (StartError, FileNotFoundError) as error:
                if path:
                    path.program.stop()
                if name in self.apart:
                    self.apart.pop(name).program.stop()
                if name in ("dedicated", "probe"):
                    raise
                self.notes.append(f"{name} is left out: {error}")
                continue
            path.fresh = make
            paths.append(path)
        return paths

    def _path(self, name, argv, place, password=PASSWORD, server=None):
        program = Program(name, argv, self.folder / f"{name}.log", place)
        return plain_path(name, server or self.server, program, password)

    def _server_apart(self, name):
        if name not in self.apart:
            self.apart[name] = Server(self.folder / name)
        return self.apart[name]

    def _free_path(self):
        """A path that no program had: one that was killed leaves its socket behind."""
        return str(self.folder / f"{next(self.numbers)}.sock")

    def _proxy_command(self, port):
        folder = self.folder / "connection"
        document = folder / "connection.yaml"
        if not folder.exists():  # once for all: others of the proxy's processes follow it
            folder.mkdir()
            self._write_document(document)
        return [self.binaries.proxy, f"--config={document}", f"--port={port}",
                f"--admin-listen=127.0.0.1:{free_port()}"]

    def _write_document(self, document):
        ca = self.server.ca.read_text().replace("\n", "\n    ")
        (document.parent / "password").write_text(PASSWORD)
        document.write_text(
            "apiVersion: cloudvalkey.dev/v1alpha1\nkind: ResolvedConnection\nname: bench\ntopology: Standalone\n"
            f"endpoints: [{{role: primary, host: 127.0.0.1, port: {self.server.port}}}]\n"
            f'tls:\n  mode: Required\n  verify: Full\n  identities: ["ip:127.0.0.1"]\n  ca: |\n    {ca}\n'
            "auth: {mode: Password, username: default, passwordFile: password}\n")

    def dedicated(self):
        port = free_port()
        return self._path("dedicated", self._proxy_command(port), port, password="")

    def dedicated_unix(self):
        at = self._free_path()
        command = self._proxy_command(free_port()) + [f"--unix-socket={at}"]
        return self._path("dedicated-unix", command, at, password="")

    def probe(self):
        port = free_port()
        return self._path("probe", [self.binaries.probe, str(port), str(self.server.port), str(self.server.ca)], port)

    def probe_unix(self):
        at = self._free_path()
        return self._path("probe-unix", [self.binaries.probe, at, str(self.server.port), str(self.server.ca)], at)

    def haproxy(self):
        port = free_port()
        config = self.folder / "haproxy.cfg"
        config.write_text(
            "global\n  nbthread 1\n  maxconn 4000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n"
            f"  timeout server 1h\nlisten valkey\n  bind 127.0.0.1:{port}\n  server valkey 127.0.0.1:{self.server.port}"
            f" ssl verify required ca-file {self.server.ca}\n")
        return self._path("haproxy", [find("haproxy"), "-db", "-f", str(config)], port)

    def stunnel(self):
        port, server = free_port(), self._server_apart("stunnel")
        config = self.folder / "stunnel.conf"
        config.write_text(
            "foreground = yes\npid =\ndebug = err\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n[valkey]\n"
            f"client = yes\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{server.port}\n"
            f"CAfile = {server.ca}\nverifyChain = yes\ncheckIP = 127.0.0.1\n")
        return self._path("stunnel", [find("stunnel4", "stunnel"), str(config)], port, server=server)

    def foreign(self, name, command):
        port, server = free_port(), self._server_apart(name)
        words = shlex.split(command.format(listen=f"127.0.0.1:{port}", upstream=f"127.0.0.1:{server.port}",
                                           ca=server.ca, password=PASSWORD))
        return self._path(name, words, port, "" if "{password}" in command else PASSWORD, server)


def find(*names):
    """A program by one of its names; daemons are in sbin, which is not on everybody's PATH."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise FileNotFoundError(f"{names[0]} is not installed")


def parse_peers(text):
    """PEERS: `name=command`, one a line or separated by semicolons; the command has {listen}, {upstream}, {ca} and, if
    it logs in itself, {password}."""
    for entry in text.replace(";", "\n").splitlines():
        if entry.strip():
            name, _, command = entry.strip().partition("=")
            yield name, command
