"""Passwords are neither kept nor shown."""

import pytest

from arrow_cache.sources.redaction import scrubbed, secrets_of, without_secrets


@pytest.mark.parametrize(
    ("source", "shown", "secrets"),
    [
        ("postgresql://me:secret@host:5432/db", "postgresql://me:***@host:5432/db", ["secret"]),
        ("postgresql://me:a%40b@host/db", "postgresql://me:***@host/db", ["a%40b", "a@b"]),
        ("postgresql://me:a@b:c@host/db", "postgresql://me:***@host/db", ["a@b:c"]),
        ("postgresql://me@host/db?password=x1&sslmode=no&sslpassword=y2", "postgresql://me@host/db?password=***&sslmode=no&sslpassword=***", ["x1", "y2"]),
        ("mssql+pyodbc://me:x@host/db?PWD=y9", "mssql+pyodbc://me:***@host/db?PWD=***", ["y9", "x"]),
        ("host=h password='it\\'s here' user=u", "host=h password=*** user=u", ["it\\'s here"]),
        ("host=h password = x dbname=d", "host=h password = *** dbname=d", ["x"]),
        ("Server=s;PWD=x;UID=u", "Server=s;PWD=***;UID=u", ["x"]),
        ("https://host/x.parquet?X-Amz-Signature=abc&X-Amz-Date=1", "https://host/x.parquet?X-Amz-Signature=***&X-Amz-Date=1", ["abc"]),
        ("https://host/x.parquet?sig=abc", "https://host/x.parquet?sig=***", ["abc"]),
        ("s3://bucket/folder@1:2/x.parquet", "s3://bucket/folder@1:2/x.parquet", []),
        ("postgresql://host:5432/db", "postgresql://host:5432/db", []),
        ("/data/x.parquet", "/data/x.parquet", []),
    ],
)
def test_texts(source, shown, secrets):
    assert without_secrets(source) == shown
    assert sorted(secrets_of(source)) == sorted(secrets)
    assert scrubbed(f"failed for {source}!", secrets_of(source)).count("***") == shown.count("***") or not secrets


def test_lists_and_objects():
    assert without_secrets(["a", "http://u:p@h/b", "c", "d"]) == "a, http://u:***@h/b, c …"
    assert without_secrets(object()) == "builtins.object"
