"""Runs cases by seed: ``python -m differential --count 1000``."""

import argparse
import sys
import time

from .case import Disagreement, random_case, run
from .reduction import report


def main() -> None:
    parser = argparse.ArgumentParser(prog="differential", description="Generated queries: the cache's answers beside plain DuckDB's.")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds")
    parser.add_argument("--large", action="store_true", help="tables of 122 879 rows and more")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first disagreement")
    options = parser.parse_args()
    start, compared, failed = time.monotonic(), 0, 0
    for seed in range(options.seed, options.seed + options.count):
        case = random_case(seed, large=options.large)
        try:
            compared += run(case)
        except KeyboardInterrupt:
            break
        except Disagreement as found:
            failed += 1
            print(report(case, found), flush=True)
            if not options.keep_going:
                break
    print(f"{compared} answers of seeds {options.seed} to {seed} compared in {time.monotonic() - start:.0f} s, {failed} disagreements")
    sys.exit(failed > 0)


main()
