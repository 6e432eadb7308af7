"""What wrong SQL is told, and what explain tells."""


import pandas as pd
import pytest
from query_answers import values

from arrow_cache import CacheError, InvalidArgument, InvalidArgumentType, KeyNotFound, QueryError


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELEC 1", "(?i)syntax error"),
        ("SELECT nothing FROM _cache_sales", "nothing"),
        ("SELECT * FROM no_such_table", "no_such_table"),
        ("SELECT CAST('x' AS INTEGER)", "Could not convert string 'x'"),
        ("SELECT no_such_function(1)", "no_such_function"),
        ("SELECT 1 +", "(?i)syntax error"),
        ("SELECT error('my own words')", "my own words"),
        ("SELECT * FROM 'no_such_file.parquet'", "no_such_file.parquet"),
        ("SELECT sum(region) FROM _cache_sales", "sum"),
    ],
)
def test_duckdbs_own_words(sales, sql, says):
    with pytest.raises(QueryError, match=says) as caught:
        sales.query(sql)
    assert isinstance(caught.value, CacheError) and caught.value.code == "query"
    assert values(sales.query("SELECT count(*) FROM _cache_sales")) == [(5,)]


@pytest.mark.parametrize("sql", ["SELECT * FROM _cache_nothing", 'SELECT * FROM "_cache_"', "DESCRIBE _cache_Sale"])
def test_a_missing_entry_is_named(sales, sql):
    with pytest.raises((QueryError, KeyNotFound), match="(?i)_cache_|nothing|sale"):
        sales.query(sql)


@pytest.mark.parametrize("sql", ["", "   ", "\n\t"])
def test_empty_sql_is_refused(cache, sql):
    for call in (cache.query, cache.explain):
        with pytest.raises(InvalidArgument, match="empty"):
            call(sql)


@pytest.mark.parametrize("sql", [None, 5, b"SELECT 1", ["SELECT 1"], pd.DataFrame()])
def test_sql_that_is_no_text_is_refused(cache, sql):
    for call in (cache.query, cache.explain):
        with pytest.raises(InvalidArgumentType, match="sql: give the statement as a str"):
            call(sql)


@pytest.mark.parametrize("sql", ["-- nothing", ";", "/* */ ;"])
def test_sql_without_a_statement_is_an_error(cache, sql):
    with pytest.raises(CacheError):
        cache.query(sql)
    assert cache.query("SELECT 1 AS a")["a"][0] == 1


def test_arguments_of_before_are_unknown(cache):
    for name in ("optimize", "auto_deregister"):
        with pytest.raises(TypeError, match=name):
            cache.query("SELECT 1", **{name: True})


def test_odd_text(cache):
    assert values(cache.query("SELECT '🦆' AS duck, 'ü' AS umlaut")) == [("🦆", "ü")]
    for call in (cache.query, cache.explain):
        with pytest.raises(InvalidArgument, match="lone surrogate"):
            call("SELECT '\ud800'")


# --- explain -----------------------------------------------------------------------------------------------------------------


def test_explain(sales):
    plan = sales.explain("SELECT sum(n) FROM _cache_sales WHERE n > 1")
    assert isinstance(plan, str) and "AGGREGATE" in plan.upper() and len(plan.splitlines()) > 3


def test_explain_analyze_runs_it(sales):
    plan = sales.explain("SELECT sum(n) FROM _cache_sales WHERE n > 1", analyze=True)
    assert "Total Time" in plan
    sales.explain("CREATE TABLE never (i INTEGER)")
    with pytest.raises(QueryError):
        sales.query("SELECT * FROM never")


def test_explain_takes_parameters(sales):
    assert "AGGREGATE" in sales.explain("SELECT sum(n) FROM _cache_sales WHERE n > $low", {"low": 1}).upper()


def test_explain_of_wrong_sql(sales):
    with pytest.raises(QueryError):
        sales.explain("SELECT nothing FROM _cache_sales")
    with pytest.raises(InvalidArgumentType, match="analyze"):
        sales.explain("SELECT 1", analyze="yes")


@pytest.mark.parametrize(
    "change", ["DELETE FROM #", "UPDATE # SET key = 'a'", "INSERT INTO # SELECT * FROM #", "TRUNCATE #", "DROP TABLE #", "ALTER TABLE # ADD COLUMN b INT"]
)
def test_tables_of_the_state_are_read_only(cache, table, change):
    cache.put("x", table)
    for name in ("arrow_cache.entries", 'ARROW_CACHE."events"', "memory.arrow_cache.statistics"):
        with pytest.raises(QueryError, match="is a view of the cache's state and read only: cache.put, cache.remove and cache.update_ttl change") as caught:
            cache.query(change.replace("#", name))
        assert "Did you mean" not in str(caught.value)
    cache.query("CREATE VIEW entries AS SELECT 1 AS i")
    with pytest.raises(QueryError) as caught:
        cache.query("DELETE FROM entries WHERE i IN (SELECT row_count FROM arrow_cache.entries)")
    assert "view of the cache's state" not in str(caught.value)
    assert cache.query("SELECT key FROM arrow_cache.entries", target_type="dict") == {"key": ["x"]}


def test_parameters_of_earlier_statements(cache):
    for sql, values in (("CREATE TEMP TABLE q AS SELECT $1 AS a; SELECT a FROM q", [5]), ("SELECT $1; SELECT $2", [5, 6])):
        with pytest.raises(QueryError, match="statement 1 of 2 has 1 parameter, and parameters go to the last statement of the text: run it"):
            cache.query(sql, values)
    assert cache.query("SELECT 1; SELECT ? AS x", [2], target_type="dict") == {"x": [2]}
