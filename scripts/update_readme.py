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
PLACES = {**{name: title for name, title in ENGINES.items() if name != "ours"}, "ours, half spilled": "itself, half on disk", "ours, all spilled": "itself, all on disk"}


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
    if "suites" not in results:
        sys.exit("docs/benchmarks/query.json is of an earlier form: run make bench-query first")
    parts = [f"`make bench-query`, median milliseconds. {machine(results)}"]
    synthetic = results["suites"]["synthetic"]
    rows = [
        [label, *(number(result["times"][name]["median_ms"]) if name in result["times"] else "" for name in (*ENGINES, "pandas"))]
        for label, result in synthetic["queries"].items()
    ]
    parts.append(table([synthetic["title"], *ENGINES.values(), "pandas"], rows))
    rows = [
        [f"{suite['title']}: {len(suite['queries'])} queries", *(f"{suite['geometric_mean'][name]:.2f}" if name in suite["geometric_mean"] else "" for name in PLACES)]
        for suite in results["suites"].values()
    ]
    parts.append("What ArrowCache takes as a multiple of what others take, geometric means; and of what itself takes with the rows on disk:")
    parts.append(table(["", *PLACES.values()], rows))
    rows = [[item["target"], f"{item['measured']:.3g}", f"{item['limit']:g}", "" if item["holds"] else "missed"] for item in results["verdicts"]]
    parts.append(table(["Target", "measured", "at most", ""], rows))
    parts.append("Every query: [docs/benchmarks/query.json](docs/benchmarks/query.json).\n\n![Queries beside other engines](docs/benchmarks/queries.png)")
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
