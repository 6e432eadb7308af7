"""Puts what was measured into README.md: the output of `make demo` and the tables of docs/benchmarks.

    .venv/bin/python scripts/update_readme.py DEMO_OUTPUT

Only what stands between `<!-- NAME -->` and `<!-- end of NAME -->` changes. `make readme` runs the demo first.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BENCHMARKS = ROOT / "docs" / "benchmarks"
ENGINES = {"ours": "ArrowCache", "DuckDB, same pyarrow table": "DuckDB on the same pyarrow table", "DuckDB table": "DuckDB table", "Polars SQL": "Polars SQL"}


def number(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}" if milliseconds >= 100 else f"{milliseconds:.1f}" if milliseconds >= 1 else f"{milliseconds:.3f}"


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine(results: dict[str, Any]) -> str:
    facts = results["machine"]
    return (
        f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']} GiB (load {facts['load_before']} when it began); "
        f"DuckDB {facts['duckdb']}, pyarrow {facts['pyarrow']}, pandas {facts['pandas']}, Polars {facts['polars']}."
    )


def query_tables() -> str:
    results = json.loads((BENCHMARKS / "query.json").read_text())
    parts = [f"`make bench-query`, median milliseconds. {machine(results)}"]
    for title, group in (("20 million synthetic rows" if results["rows"] == 20_000_000 else f"{results['rows']:,} rows", "synthetic"), ("flights", "flights")):
        rows = [
            [label.replace("|", "\\|"), *(number(result["times"][engine]["median_ms"]) for engine in ENGINES)]
            for label, result in results[group]["queries"].items()
        ]
        means = results[group]["geometric_mean"]
        rows.append(["ours as a multiple, geometric mean", "", *(f"{means[engine]:.2f}" for engine in ENGINES if engine != "ours")])
        parts.append(table([title, *ENGINES.values()], rows))
    return "\n\n".join(parts)


def put_get_table() -> str:
    results = json.loads((BENCHMARKS / "put_get.json").read_text())
    rows = []
    for figure in results["figures"]:
        times = figure["times"]
        compared = "beside" in times
        rows.append(
            [
                figure["what"],
                number(times["ours"]["median_ms"]),
                number(times["beside"]["median_ms"]) if compared else "",
                f"{figure['value']:.2f}" if compared else "",
            ]
        )
    return f"`make bench-convert`, median milliseconds. {machine(results)}\n\n" + table(["", "ArrowCache", "beside it", "ratio"], rows)


def replaced(text: str, name: str, content: str) -> str:
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(text)) != 1:
        sys.exit(f"README.md needs {start} … {end} once.")
    return pattern.sub(lambda _: f"{start}\n{content}\n{end}", text)


def main(demo: Path) -> None:
    text = README.read_text()
    text = replaced(text, "demo", f"```\n{demo.read_text().strip()}\n```")
    text = replaced(text, "query figures", query_tables())
    text = replaced(text, "put and get figures", put_get_table())
    README.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
