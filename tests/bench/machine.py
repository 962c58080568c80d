"""What the kernel says about CPU time and memory: of single processes, and of everybody else."""

import os
import resource
import time
from dataclasses import dataclass, field

MIB = 1024 * 1024


def read_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def cpu_seconds(pid):
    """CPU time of a running process, all threads that it ever had, to the nanosecond."""
    cpu_clock = (~pid << 3) | 2  # what clock_getcpuclockid(3) makes, which Python does not have
    return time.clock_gettime(cpu_clock)


def memory_bytes(pid):
    """(resident, anonymous) bytes; exact, where /proc/PID/status is some pages behind."""
    lines = dict(line.split(":", 1) for line in read_text(f"/proc/{pid}/smaps_rollup").splitlines()[1:])
    return tuple(int(lines[key].split()[0]) * 1024 for key in ("Rss", "Anonymous"))


def machine_ticks():
    """(busy, all) ticks of all CPUs since boot. What a hypervisor took counts as busy: it disturbs all the same."""
    user, nice, system, idle, iowait, irq, softirq, steal = map(int, read_text("/proc/stat").split("\n")[0].split()[1:9])
    busy = user + nice + system + irq + softirq + steal
    return busy, busy + idle + iowait


def children_seconds():
    """CPU time of children that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@dataclass
class Usage:
    """CPU seconds in one interval, and the share of the machine's CPUs that processes other than these used."""

    client: float = 0.0
    others: float = 0.0
    of: dict = field(default_factory=dict)


class Meter:
    """Measures what is used between its making and stop(). The clients are children that are waited for meanwhile."""

    def __init__(self, pids):
        self._pids = pids
        self._cpus = {pid: cpu_seconds(pid) for pid in set(pids.values())}
        self._client = children_seconds()
        self._self = time.process_time()
        self._ticks = machine_ticks()

    def stop(self):
        busy, total = (now - then for now, then in zip(machine_ticks(), self._ticks))
        used = {pid: cpu_seconds(pid) - then for pid, then in self._cpus.items()}
        client = children_seconds() - self._client
        ours = sum(used.values()) + client + time.process_time() - self._self
        others = max(0.0, busy / os.sysconf("SC_CLK_TCK") - ours) * os.sysconf("SC_CLK_TCK") / max(total, 1)
        return Usage(client, others, {name: used[pid] for name, pid in self._pids.items()})


def others_now(seconds=0.2):
    """The share of the CPUs that is used while nothing is measured."""
    meter = Meter({})
    time.sleep(seconds)
    return meter.stop().others
