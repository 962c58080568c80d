"""Where the proxy's CPU time goes under 50 clients: shares of system calls, OpenSSL and own code.

    profile.py BINARIES_DIR [dedicated|dedicated-unix|probe|probe-unix] [REQUESTS] [PIPELINE]

Needs perf (Debian: linux-perf) and the right to use it. Build first: scripts/build.sh release cloud-valkey-proxy
bench_probe bench_clients. A busy machine does not disturb the shares much: they are of the proxy's own time.
"""

import collections
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path as File

from paths import Peers, Program, Server
from bench import Binaries

SYSTEM_CALLS = {"__x64_sys_sendto": "send", "__x64_sys_recvfrom": "recv", "__x64_sys_epoll_wait": "epoll_wait",
                "__x64_sys_epoll_ctl": "epoll_ctl", "__x64_sys_timerfd_settime": "timerfd_settime"}
TOP = 12


def record(path, requests, pipeline, data):
    perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "2000", "-g", "-o", data, "-p",
                             str(path.program.pid)])
    time.sleep(0.5)  # for perf to attach
    subprocess.run(["valkey-benchmark", *path.benchmark, "-t", "get", "-c", "50", "-d", "64", "-n", requests, "-P", pipeline, "-q"],
                   check=True, stdout=subprocess.DEVNULL)
    perf.send_signal(signal.SIGINT)
    perf.wait()


def class_of(frames, program):
    """What a sample, leaf first, belongs to: (class, what is on top)."""
    top, top_object = frames[0]
    for symbol, _ in frames:
        if symbol in SYSTEM_CALLS:
            return f"kernel: {SYSTEM_CALLS[symbol]}", top
    if "kernel" in top_object or "vdso" in top_object:
        return "kernel: other", top
    if "libssl" in top_object or "libcrypto" in top_object:
        return "OpenSSL", top
    if program not in top_object:
        return "libc", top
    is_ours = any(word in top for word in ("cvp::", "boost::", "std::", "main", "(anonymous"))
    return ("own code" if is_ours else "OpenSSL"), top


def samples_of(data):
    """Stacks, leaf first, as (symbol, object)."""
    text = subprocess.run(["perf", "script", "-i", data, "-F", "ip,sym,dso"], check=True, capture_output=True,
                          text=True).stdout
    for block in text.split("\n\n"):
        frames = []
        for line in block.splitlines():
            words = line.split(None, 1)
            if len(words) == 2:
                symbol, _, found_in = words[1].rpartition(" ")
                frames.append((symbol, found_in.strip("()")))
        if frames:
            yield frames


def main():
    binaries_dir, which, requests, pipeline = sys.argv[1:] + ["dedicated", "300000", "1"][len(sys.argv) - 2:]
    at = File(binaries_dir)
    binaries = Binaries(str(at / "proxy/cloud-valkey-proxy"), str(at / "tests/bench/bench_probe"), "")
    with tempfile.TemporaryDirectory(prefix="cvp-profile-") as folder:
        try:
            server = Server(File(folder))
            server.set_value(64)
            peers = Peers(server, File(folder), binaries)
            path = getattr(peers, which.replace("-", "_"))()
            path.program.await_pong(path.password)
            record(path, requests, pipeline, f"{folder}/perf.data")
            program = File(binaries.probe if which.startswith("probe") else binaries.proxy).name
            counted = [class_of(frames, program) for frames in samples_of(f"{folder}/perf.data")]
        finally:
            Program.stop_all()
    classes = collections.Counter(name for name, _ in counted)
    for name, count in classes.most_common():
        print(f"{count / len(counted):6.1%}  {name}")
        if name in ("OpenSSL", "own code", "libc"):
            tops = collections.Counter(top for kind, top in counted if kind == name)
            for top, part in tops.most_common(TOP):
                print(f"{part / len(counted):12.1%}  {top}")


if __name__ == "__main__":
    main()
