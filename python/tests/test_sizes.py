from pathlib import Path

import pytest

from arrow_cache import sizes


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("17", 17),
        ("17B", 17),
        ("4GB", 4_000_000_000),
        ("512MiB", 512 * 1024**2),
        ("512mib", 512 * 1024**2),
        ("1.5 gb", 1_500_000_000),
        (" 2 kB ", 2000),
        ("1_000kb", 1_000_000),
        (".5KiB", 512),
        ("4G", 4_000_000_000),
        ("4Gi", 4 * 1024**3),
        ("3TiB", 3 * 1024**4),
        ("1PB", 10**15),
        ("0.1B", 0),
    ],
)
def test_a_size_is_a_number_and_a_unit(text, count):
    assert sizes.parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", " ", "GB", "4XB", "4 G B", "-1GB", "+1", "1e9", "4,5GB", "nan", "4GBs", "4ib", "1_", "٣GB"])
def test_anything_else_is_no_size(text):
    with pytest.raises(ValueError, match="is not a size"):
        sizes.parse_bytes(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (5 * 1024**3, "5.0 GiB"), (3 * 1024**5, "3.0 PiB")],
)
def test_bytes_for_people(count, text):
    assert sizes.format_bytes(count) == text


MACHINE = sizes.os.sysconf("SC_PAGE_SIZE") * sizes.os.sysconf("SC_PHYS_PAGES")
MIB = 1024**2


def container(root: Path, groups: str, files: dict[str, str]) -> str:
    """A file system as a process in a control group sees it."""
    for name, text in ({"proc/self/cgroup": groups} | {f"sys/fs/cgroup/{name}": text for name, text in files.items()}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return str(root)


V1 = "9223372036854771712"  # what version 1 says where nothing is set
CONTAINERS = {
    "v2, own group": ("0::/a/b", {"a/b/memory.max": str(64 * MIB), "a/memory.max": "max"}, 64 * MIB),
    "v2, a group above is the tightest": ("0::/a/b", {"a/b/memory.max": str(64 * MIB), "a/memory.max": str(32 * MIB)}, 32 * MIB),
    "v2, namespace: the root is the container": ("0::/", {"memory.max": str(48 * MIB)}, 48 * MIB),
    "v2, throttled": ("0::/a", {"a/memory.max": str(64 * MIB), "a/memory.high": str(16 * MIB)}, 16 * MIB),
    "v2, unlimited": ("0::/a/b", {"a/b/memory.max": "max", "a/b/memory.high": "max"}, MACHINE),
    "v2, more than there is": ("0::/a", {"a/memory.max": str(2**60)}, MACHINE),
    "v2, group of another mount": ("0::/../other", {"memory.max": str(48 * MIB)}, 48 * MIB),
    "v1": ("5:cpu:/y\n4:pids,memory:/x", {"memory/x/memory.limit_in_bytes": str(64 * MIB), "memory/memory.limit_in_bytes": V1}, 64 * MIB),
    "v1, only the container's own folder is mounted": ("4:memory:/docker/1", {"memory/memory.limit_in_bytes": str(64 * MIB)}, 64 * MIB),
    "v1, unlimited": ("4:memory:/x", {"memory/x/memory.limit_in_bytes": V1}, MACHINE),
    "both, the memory controller in v1": ("4:memory:/x\n0::/x", {"memory/x/memory.limit_in_bytes": str(64 * MIB)}, 64 * MIB),
    "limits of another controller": ("3:cpuset:/x", {"memory/x/memory.limit_in_bytes": str(64 * MIB)}, MACHINE),
    "no control groups": ("", {}, MACHINE),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_memory_is_the_machines_unless_a_control_group_allows_less(name, tmp_path):
    groups, files, expected = CONTAINERS[name]
    assert sizes.machine_bytes(container(tmp_path, groups, files)) == expected


def test_without_proc_memory_is_the_machines(tmp_path):
    assert sizes.machine_bytes(str(tmp_path)) == MACHINE
