import datetime


from arrow_cache.placement import placement_of


def found(count: int = 2, **changed):
    partitions = [
        {"partition": number, "first_row": number * 10, "num_rows": 10, "size_bytes": 2048, "segment": 0, "tier": "disk", "since": 1.5e9 + number, "cause": "limit", "moves": number}
        for number in range(count)
    ]
    facts = {"key": "<k>", "version": 3, "num_rows": 10 * count, "size_bytes": 2048 * count, "memory_bytes": 0, "disk_bytes": 2048 * count, "pinned": False}
    return facts | {"partitions": partitions} | changed


def test_it_reads_as_a_table():
    text = str(placement_of(found()))
    assert text.splitlines() == [
        "'<k>', version 3: 20 rows, 4.0 KiB; 0 B in memory, 4.0 KiB on disk",
        "  partition  rows     size  tier  since                why    moves",
        "          0    10  2.0 KiB  disk  2017-07-14 02:40:00  limit  0",
        "          1    10  2.0 KiB  disk  2017-07-14 02:40:01  limit  1",
    ]


def test_many_partitions_are_cut():
    placement = placement_of(found(500, pinned=True))
    assert len(str(placement).splitlines()) == 33 and "and 470 more" in str(placement) and "pinned" in str(placement)
    assert len(placement.to_pandas()) == 500


def test_html_escapes_the_key():
    html = placement_of(found(31))._repr_html_()
    assert "<k>" not in html and "&lt;k&gt;" in html and "and 1 more" in html


def test_as_a_frame():
    frame = placement_of(found()).to_pandas()
    assert list(frame["first_row"]) == [0, 10] and list(frame["tier"]) == ["disk", "disk"]
    assert frame["since"][0].to_pydatetime() == datetime.datetime(2017, 7, 14, 2, 40, tzinfo=datetime.UTC)
    assert str(placement_of(found(0)).to_pandas()["since"].dtype) == "datetime64[us, UTC]"
