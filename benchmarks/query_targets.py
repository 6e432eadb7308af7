"""What the measured ratios are held against, and whether they are within it."""

from typing import Any

from contest import NATIVE, OURS, POLARS, SAME
from measure import geometric_mean, print_table

MEANS = {SAME: 0.6, NATIVE: 1.1, POLARS: 0.8}
FEATURES = {"the same query again, ms": 0.5, "a repeated filter, share of the first": 0.2, "blocks read by 1 % of a sorted column": 0.02}
RESULT_RATIO = 0.8


def verdicts(results: dict[str, Any]) -> list[dict[str, Any]]:
    """One for each target: what was measured, the limit, and whether it holds; printed too."""
    queries = {f"{name}: {label}": result for name, suite in results["suites"].items() for label, result in suite["queries"].items()}
    found: list[dict[str, Any]] = []

    def judge(what: str, value: float | None, limit: float, detail: str = "") -> None:
        if value is not None:
            found.append({"target": what, "measured": round(value, 4), "limit": limit, "holds": value <= limit, "detail": detail})

    for name, limit in MEANS.items():
        judge(f"geometric mean beside {name}", _mean(queries, name), limit, f"of {sum(name in result['ratios'] for result in queries.values())} queries")
    beside = {label: result["ratios"][SAME] for label, result in queries.items() if SAME in result["ratios"]}
    if beside:
        over = sorted(((ratio, label) for label, ratio in beside.items() if ratio > 1), reverse=True)
        judge(f"every query beside {SAME}", max(beside.values()), 1.0, f"{len(over)} of {len(beside)} are slower: " + ", ".join(f"{label} {ratio:.2f}" for ratio, label in over))
    filters = {label: result for label, result in queries.items() if result["kind"] == "filter"}
    for label, result in filters.items():
        judge(f"{label} beside {SAME}", result["ratios"].get(SAME), 0.1)
        judge(f"{label} beside {NATIVE}", result["ratios"].get(NATIVE), 1.2)
    for label, result in queries.items():
        if result["kind"] == "text":
            judge(f"{label} beside {NATIVE}", result["ratios"].get(NATIVE), 0.5)
    for what, value in results.get("features", {}).get("ratios", {}).items():
        judge(what, value, FEATURES.get(what, RESULT_RATIO))
    print("\n  Targets, as ratios of medians\n")
    print_table(["", "measured", "at most", ""], [[item["target"], f"{item['measured']:.3f}", f"{item['limit']:g}", "holds" if item["holds"] else "missed"] for item in found])
    return found


def _mean(queries: dict[str, Any], name: str) -> float | None:
    ratios = [result["ratios"][name] for result in queries.values() if name in result["ratios"] and OURS in result["times"]]
    return geometric_mean(ratios) if ratios else None
