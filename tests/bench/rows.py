"""What is measured: each row takes samples, one way at a time, and names the figures that come out of them."""

import csv
import math
import statistics
import subprocess
import time
from dataclasses import dataclass

from machine import MIB, Meter, memory_bytes

IDLE_CLIENTS = 300
WARM_CLIENTS = 2  # the second resumes TLS, as all that follow
STARTS = 5
CLIENT_LIMIT = 120
SETTLED = 4.5  # seconds after its start the proxy has given back what only starting needed


@dataclass
class Figure:
    """One line of the table, made of one value of a row's samples."""

    name: str
    value: str
    unit: str
    is_compared: bool = True  # with the direct way, as a ratio


class Row:
    """A kind of measurement. figures[0] is what it is called by."""

    needs_quiet = True
    measures_direct = True
    enough = math.inf  # samples; speed varies so much that there are never enough
    figures = ()

    def prepare(self, bench):
        """Once, before its first sample."""

    def begin_round(self, bench, paths):
        """Before each round over the ways."""

    def sample(self, bench, path):
        """(values by name, the share of the CPUs that others used)"""
        raise NotImplementedError

    def end_round(self):
        """After each round."""


def output_of(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_LIMIT)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def cpu_values(usage, count):
    """Microseconds of CPU that one request or connection cost, by whom."""
    values = {"client_us": usage.client, **{f"{name}_us": usage.of.get(name, 0.0) for name in ("proxy", "server")}}
    return {name: seconds * 1e6 / count for name, seconds in values.items()}


def meter_of(path):
    pids = {"server": path.server.program.pid}
    if path.program:
        pids["proxy"] = path.program.pid
    return Meter(pids)


class Load(Row):
    """Requests as fast as they are answered, by valkey-benchmark on connections that stay open."""

    def __init__(self, command, clients, pipeline, size, figures):
        self.command, self.clients, self.pipeline, self.size, self.figures = command, clients, pipeline, size, figures
        self._rates = {}

    def prepare(self, bench):
        bench.set_value(self.size)

    def sample(self, bench, path):
        if path.name not in self._rates:
            self._rates[path.name] = self._run(path, self.clients * self.pipeline * 40)["rps"]
        count = int(self._rates[path.name] * bench.seconds)
        meter = meter_of(path)
        values = self._run(path, count)
        usage = meter.stop()
        self._rates[path.name] = values["rps"]
        return {**values, **cpu_values(usage, count)}, usage.others

    def _run(self, path, count):
        command = ["valkey-benchmark", *path.benchmark, "-t", self.command, "-c", str(self.clients), "-d", str(self.size),
                   "-P", str(self.pipeline), "-n", str(max(count, 1000)), "--csv", "--precision", "3"]
        output = output_of(command)
        fields = list(csv.DictReader(output.splitlines()))[-1]
        return {"rps": float(fields["rps"]),
                **{f"{name}_us": float(fields[f"{name}_latency_ms"]) * 1000 for name in ("avg", "p50", "p99")}}


class Latency(Row):
    """One client that sends a request when the one before it was answered."""

    figures = (Figure("1c-latency", "p50_us", "µs, p50"), Figure("1c-latency-avg", "avg_us", "µs, mean"))

    def prepare(self, bench):
        bench.set_value(64)

    def sample(self, bench, path):
        meter = meter_of(path)
        output = output_of([bench.binaries.clients, "latency", str(int(bench.seconds * 1000)), path.server.key,
                            *path.place])
        usage = meter.stop()
        count, p50, mean, _ = map(float, output.split())
        return {"p50_us": p50, "avg_us": mean, **cpu_values(usage, count)}, usage.others


class NewConnections(Row):
    """Connect, PING, reply, close. Clients of the direct way do a whole TLS handshake, as client libraries do."""

    figures = (Figure("new-connections", "rate", "connections/s"),)
    workers = 8

    def sample(self, bench, path):
        meter = meter_of(path)
        output = output_of([bench.binaries.clients, "rate", str(int(bench.seconds * 1000)), str(self.workers),
                            *path.place])
        usage = meter.stop()
        count, seconds = map(float, output.split())
        return {"rate": count / seconds, **cpu_values(usage, count)}, usage.others


class Holding:
    """`with` it, COUNT clients are connected that were answered and now say nothing."""

    def __init__(self, bench, path, count):
        self._argv = [bench.binaries.clients, "hold", str(count), *path.place]

    def __enter__(self):
        self._process = subprocess.Popen(self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._process.stdout.readline() != b"open\n":
            raise RuntimeError(" ".join(self._argv) + " failed")

    def __exit__(self, *_):
        self._process.communicate()


class Memory(Row):
    """Of a fresh process: what it has after its start, and what each idle client adds. A warm-up comes between, so that
    code that only a first client needs is not counted as memory of clients."""

    needs_quiet = False
    measures_direct = False
    enough = 7
    figures = (Figure("idle-memory", "client_kib", "KiB a client", False),
               Figure("idle-memory-anon", "client_anon_kib", "KiB a client, anonymous", False),
               Figure("start-rss", "start_mib", "MiB", False),
               Figure("start-rss-anon", "start_anon_mib", "MiB, anonymous", False))

    def begin_round(self, bench, paths):
        self._fresh = {path.name: path.fresh() for path in paths}
        for path in self._fresh.values():
            path.program.await_listening()
        time.sleep(SETTLED)

    def sample(self, bench, path):
        path = self._fresh[path.name]
        start, start_anonymous = memory_bytes(path.program.pid)
        with Holding(bench, path, WARM_CLIENTS):
            pass
        time.sleep(0.2)  # for it to see that they left
        none, none_anonymous = memory_bytes(path.program.pid)
        with Holding(bench, path, IDLE_CLIENTS):
            time.sleep(0.2)
            many, many_anonymous = memory_bytes(path.program.pid)
        return {"client_kib": (many - none) / IDLE_CLIENTS / 1024,
                "client_anon_kib": (many_anonymous - none_anonymous) / IDLE_CLIENTS / 1024,
                "start_mib": start / MIB, "start_anon_mib": start_anonymous / MIB}, 0.0

    def end_round(self):
        for path in self._fresh.values():
            path.program.stop()


class Start(Row):
    """From the start of the process to the first PONG of the server, through TLS and, where it does so, its login."""

    measures_direct = False
    enough = 7
    figures = (Figure("start", "pong_ms", "ms to the first PONG", False),
               Figure("start-listening", "listening_ms", "ms to listening", False))

    def sample(self, bench, path):
        meter = Meter({"server": path.server.program.pid})
        times = []
        for _ in range(STARTS):
            program = path.fresh().program
            try:
                listening = program.await_listening()
                times.append((listening, program.await_pong(path.password)))
            finally:
                program.stop()
        usage = meter.stop()
        listening, pong = (statistics.median(column) * 1000 for column in zip(*times))
        return {"listening_ms": listening, "pong_ms": pong}, usage.others


def all_rows():
    def throughput(name):
        return Figure(name, "rps", "requests/s")

    return [
        Load("get", 50, 1, 64, (throughput("50c-p1-get"), Figure("50c-p1-p99", "p99_us", "µs"),
                                Figure("50c-p1-cpu", "proxy_us", "ms per 1000 requests", False))),
        Load("set", 50, 1, 64, (throughput("50c-p1-set"),)),
        Load("get", 50, 16, 64, (throughput("50c-p16-get"),)),
        Load("set", 50, 16, 64, (throughput("50c-p16-set"),)),
        Load("get", 8, 4, 16384, (throughput("8c-p4-16k-get"),)),
        Latency(),
        NewConnections(),
        Memory(),
        Start(),
    ]
