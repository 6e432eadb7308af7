"""How fast something is, on machines that are busy with other things too."""

from collections.abc import Callable


def assert_prompt(attempt: Callable[[], float], limit: float, attempts: int = 20) -> None:
    """One attempt takes less than the limit. Load slows some of them, a defect all."""
    seconds: list[float] = []
    while not seconds or seconds[-1] >= limit:
        assert len(seconds) < attempts, f"it takes {min(seconds):.3f} s at the least, and should take less than {limit}"
        seconds.append(attempt())
