"""``s3_options``: a bucket on a server of this test's own, which answers what reading a file asks for."""

import email.utils
import http.server
import threading

import pandas as pd
import pytest

from arrow_cache import InvalidArgument, StorageError


@pytest.fixture
def bucket(tmp_path):
    """The address of a server, and the requests that it got."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, with_body):
            requests.append((self.command, self.path.partition("?")[0], self.headers.get("Authorization", "")))
            file = tmp_path / self.path.partition("?")[0].removeprefix("/bucket/")
            if not file.is_file():
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data = file.read_bytes()
            size, asked = len(data), self.headers.get("Range")
            if asked:
                first, _, last = asked.removeprefix("bytes=").partition("-")
                data = data[int(first) : int(last) + 1 if last else None]
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {first}-{int(first) + len(data) - 1}/{size}")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Last-Modified", email.utils.formatdate(usegmt=True))
            self.send_header("ETag", '"1"')
            self.end_headers()
            if with_body:
                self.wfile.write(data)

        def do_GET(self):
            self.answer(True)

        def do_HEAD(self):
            self.answer(False)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_parquet_in_a_bucket(cache, bucket, tmp_path):
    address, requests = bucket
    frame = pd.DataFrame({"a": [1, 2, 3]})
    frame.to_parquet(tmp_path / "x.parquet")
    given = {"region": "us-east-1", "endpoint": address, "aws_access_key_id": "my-id", "aws_secret_access_key": "my-secret"}
    cache.import_data("x", "s3://bucket/x.parquet", options={"s3_options": given})
    pd.testing.assert_frame_equal(cache.get("x"), frame)
    assert requests and all(path == "/bucket/x.parquet" and "Credential=my-id/" in signature and "us-east-1" in signature for _, path, signature in requests)
    about = cache.get_metadata("x")["metadata"]
    assert about == {"source": "s3://bucket/x.parquet", "source_type": "parquet", "import_method": "arrow"}


def test_what_is_refused(cache, bucket):
    given = {"region": "us-east-1", "endpoint": bucket[0], "aws_access_key_id": "my-id", "aws_secret_access_key": "my-secret"}
    with pytest.raises(StorageError):
        cache.import_data("x", "s3://bucket/nowhere.parquet", options={"s3_options": given})
    with pytest.raises(InvalidArgument, match="without wildcards"):
        cache.import_data("x", "s3://bucket/*.parquet", options={"s3_options": given})
    with pytest.raises(InvalidArgument, match="don't fit"):
        cache.import_data("x", "s3://bucket/x.parquet", options={"s3_options": {"aws_access_key_id": "my-id"}})
