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


def test_memory_is_the_machines_unless_a_control_group_allows_less(monkeypatch, tmp_path):
    machine = sizes.os.sysconf("SC_PAGE_SIZE") * sizes.os.sysconf("SC_PHYS_PAGES")
    unlimited, limited = tmp_path / "memory.max", tmp_path / "limited"
    unlimited.write_text("max\n")
    limited.write_text("1048576\n")
    monkeypatch.setattr(sizes, "_cgroup_files", lambda: iter([unlimited, tmp_path / "missing"]))
    assert sizes.machine_bytes() == machine
    monkeypatch.setattr(sizes, "_cgroup_files", lambda: iter([unlimited, limited]))
    assert sizes.machine_bytes() == 1048576


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0::/a/b", ["/sys/fs/cgroup/a/b/memory.max", "/sys/fs/cgroup/a/memory.max", "/sys/fs/cgroup/memory.max"]),
        (
            "4:cpu,memory:/x",
            ["/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"],
        ),
        ("3:cpuset:/x", []),
    ],
)
def test_control_groups_are_looked_up_to_the_root(monkeypatch, line, expected):
    monkeypatch.setattr(Path, "read_text", lambda self: line)
    assert [str(file) for file in sizes._cgroup_files()] == expected
