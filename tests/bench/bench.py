"""`make bench`: the proxy and its peers side by side, against a direct TLS connection to the same Valkey.

    bench.py BINARIES_DIR RESULTS_FILE

Environment:
    BENCH_ROWS      rows to measure, separated by blanks (default: all)
    BENCH_SAMPLES   samples that must count, for each row and way (21; of memory and starts 7 are enough)
    BENCH_SECONDS   of one sample (0.5)
    BENCH_MINUTES   that all may take (15)
    BENCH_QUIET     off: count samples on a busy machine too; what comes out is good for nothing but trying this out
    PEERS           more peers: name=command with {listen} {upstream} {ca} {password}, one a line

Samples of the ways are taken in rounds, each in another order. One counts only if other processes used less than 10 %
of the CPUs during it, because a busy machine flatters every ratio. Exits with 1 if a row has too few samples that count.
"""

import math
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path as File

from machine import others_now, read_text
from paths import Peers, Program, Server
from report import render_table, summarise, write_json
from rows import all_rows

QUIET_SHARE = 0.10
TRIES_PER_SAMPLE = 4
TELL_EVERY = 60.0


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


@dataclass
class Binaries:
    proxy: str
    probe: str
    clients: str


class Bench:
    """One run: what is served, and how it is measured."""

    def __init__(self, folder, binaries):
        self.binaries = binaries
        self.needed = int(os.environ.get("BENCH_SAMPLES", "21"))
        self.seconds = float(os.environ.get("BENCH_SECONDS", "0.5"))
        self.is_quiet_needed = os.environ.get("BENCH_QUIET", "") != "off"
        self.told = 0.0  # that it waits
        self.deadline = time.monotonic() + 60 * float(os.environ.get("BENCH_MINUTES", "15"))
        peers = Peers(Server(folder), folder, binaries)
        self.paths = peers.open_all()
        self.notes = peers.notes

    def set_value(self, size):
        """Gives what clients ask for a value of `size` bytes, on each server."""
        for server in {path.server for path in self.paths}:
            server.set_value(size)

    def measure(self, row):
        """Rounds over the ways until each has its samples, its tries are over, or time is; there is always time for
        what needs no quiet."""
        deadline = self.deadline if row.needs_quiet else math.inf
        needed = min(self.needed, row.enough)
        ways = [path for path in self.paths if row.measures_direct or path.program]
        taken = {path.name: {"samples": [], "tries": 0, "note": ""} for path in ways}
        row.prepare(self)
        orders = random.Random(1)
        for _ in range(TRIES_PER_SAMPLE * needed):
            left = [path for path in ways if len(taken[path.name]["samples"]) < needed]
            if not left or time.monotonic() > deadline:
                break
            orders.shuffle(left)  # so that none is always the one after another, whose traces it would run on
            row.begin_round(self, left)
            try:
                for path in left:
                    self._take(row, path, taken[path.name], deadline)
            finally:
                row.end_round()
        for entry in taken.values():
            if len(entry["samples"]) < needed:
                entry["note"] = (f"too few quiet samples: {len(entry['samples'])} of {needed} in "
                                 f"{entry['tries']} tries")
        return taken

    def _take(self, row, path, entry, deadline):
        is_quiet_needed = row.needs_quiet and self.is_quiet_needed
        # The look is also a rest: without it a sample is scheduled by the load of the one before.
        while is_quiet_needed and (others := others_now()) >= QUIET_SHARE:
            if time.monotonic() > deadline:
                return
            if time.monotonic() > self.told + TELL_EVERY:
                self.told = time.monotonic()
                say(f"others use {others:.0%} of the CPUs: waiting for a quiet moment")
            time.sleep(0.5)
        values, others = row.sample(self, path)
        entry["tries"] += 1
        if not is_quiet_needed or others < QUIET_SHARE:
            entry["samples"].append(values | {"others": others})


def chosen_rows():
    wanted = os.environ.get("BENCH_ROWS", "").replace(",", " ").split()
    rows = all_rows()
    names = {figure.name for row in rows for figure in row.figures}
    if unknown := set(wanted) - names:
        sys.exit(f"bench: no such row: {' '.join(sorted(unknown))}; there are {' '.join(sorted(names))}")
    return [row for row in rows if not wanted or any(figure.name in wanted for figure in row.figures)]


def describe_machine():
    models = [line.split(":")[1].strip() for line in read_text("/proc/cpuinfo").splitlines() if "model name" in line]
    return f"{len(models)} x {models[0]}" if models else f"{os.cpu_count()} CPUs"


def measure_all(bench, rows):
    lines = []
    for index, row in enumerate(rows):
        say(f"{row.figures[0].name} ({index + 1} of {len(rows)})")
        of_row = summarise(row, bench.measure(row))
        print(render_table(of_row), file=sys.stderr, flush=True)  # should one of the later rows fail
        lines += of_row
    return lines


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    binaries_dir, results = File(sys.argv[1]), File(sys.argv[2])
    binaries = Binaries(str(binaries_dir / "proxy/cloud-valkey-proxy"), str(binaries_dir / "tests/bench/bench_probe"),
                        str(binaries_dir / "tests/bench/bench_clients"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows = chosen_rows()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cvp-bench-") as folder:
        try:
            bench = Bench(File(folder), binaries)
            for note in bench.notes:
                say(note)
            lines = measure_all(bench, rows)
        finally:
            Program.stop_all()
    write_json(results, lines, {
        "machine": describe_machine(), "seconds": round(time.monotonic() - began), "notes": bench.notes,
        "others_allowed": QUIET_SHARE if bench.is_quiet_needed else None})
    print(render_table(lines))
    print(f"\nclient, proxy, server: µs of CPU per request or connection. {describe_machine()}."
          f" As JSON: {os.path.relpath(results)}")
    if not bench.is_quiet_needed:
        print("BENCH_QUIET=off: other processes were not looked at; these are no figures to compare with.")
    return 1 if any("note" in line for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
