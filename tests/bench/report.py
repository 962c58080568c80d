"""From samples to figures: medians, spreads, the table and results.json."""

import json
import statistics

CPU = ("client_us", "proxy_us", "server_us")


def summarise(row, collected):
    """The lines of a row: for each of its figures one for each way.

    @param collected by way: {"samples": [values], "tries": how often it was measured}; the direct way first
    @param needed samples, for a figure to be one
    """
    lines = []
    for figure in row.figures:
        direct = median_of(collected.get("direct"), figure.value)
        for name, taken in collected.items():
            if figure.name.endswith("-cpu") and name == "direct":
                continue
            lines.append(summarise_one(figure, name, taken, direct))
    return lines


def summarise_one(figure, name, taken, direct):
    line = {"row": figure.name, "path": name, "unit": figure.unit, "samples": len(taken["samples"]),
            "tries": taken["tries"]}
    if taken["note"]:
        return {**line, "ratio": None, "note": taken["note"]}
    values = [sample[figure.value] for sample in taken["samples"]]
    line["value"] = round(statistics.median(values), 3)
    if not figure.is_compared:
        line |= {"ratio": None, "min": round(min(values), 3), "max": round(max(values), 3)}
    elif direct:
        line |= {"ratio": round(line["value"] / direct, 3), "min": round(min(values) / direct, 3),
                 "max": round(max(values) / direct, 3)}
        if figure.unit.startswith("µs"):
            line["added_us"] = round(line["value"] - direct, 1)
    else:
        return {**line, "ratio": None, "note": "the direct way has too few samples to compare with"}
    if CPU[0] in taken["samples"][0]:
        line |= {key: round(statistics.median(sample[key] for sample in taken["samples"]), 2) for key in CPU}
    return line


def median_of(taken, value):
    if not taken or taken["note"]:
        return None
    return statistics.median(sample[value] for sample in taken["samples"])


HEADER = ("row", "path", "ratio", "min–max", "value", "unit", "client", "proxy", "server", "n")


def cells_of(line):
    if "note" in line:
        return [line["row"], line["path"], line["note"]]
    spread = f"{line['min']:.2f}–{line['max']:.2f}"
    ratio = "" if line["ratio"] is None else f"{line['ratio']:.2f}"
    unit = line["unit"] + (f" ({line['added_us']:+.0f})" if "added_us" in line and line["path"] != "direct" else "")
    value = f"{line['value']:,.0f}" if line["value"] >= 1000 else f"{line['value']:.2f}".rstrip("0").rstrip(".")
    cpu = [f"{line[key]:.1f}" if line.get(key) else "" for key in CPU]
    return [line["row"], line["path"], ratio, spread, value, unit, *cpu, str(line["samples"])]


def render_table(lines):
    """Columns; client, proxy and server are µs of CPU per request."""
    rows = [list(HEADER)] + [cells_of(line) for line in lines]
    widths = [max(len(row[i]) for row in rows if len(row) == len(HEADER)) for i in range(len(HEADER))]
    widths[1] = max(widths[1], *(len(row[1]) for row in rows))
    out, last = [], None
    for row in rows:
        if row[0] != last and last is not None:
            out.append("")
        last = row[0]
        is_left = {0, 1, 5} if len(row) == len(HEADER) else {0, 1, 2}
        out.append("  ".join(cell.ljust(widths[i]) if i in is_left else cell.rjust(widths[i])
                             for i, cell in enumerate(row)).rstrip())
    return "\n".join(out)


def write_json(file, lines, about):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"rows": lines, **about}, indent=1, ensure_ascii=False) + "\n")
