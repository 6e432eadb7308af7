"""What may be shown and kept of a source: its text without passwords."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["scrubbed", "secrets_of", "without_secrets"]

_HIDDEN = "***"
_SECRET_WORDS = r"[\w.\-]*(?:password|passwd|passphrase|pwd|secret|token|credential|signature|access_?key|api_?key)[\w.\-]*|sig"
_USER_INFO = re.compile(r"(?P<start>\w[\w+.\-]*://[^/?#:@]*:)(?P<secret>[^/?#]*)(?=@)")
_PARAMETER = re.compile(rf"(?P<start>[?&;](?:{_SECRET_WORDS})=)(?P<secret>[^&;#]*)", re.IGNORECASE)
_SETTING = re.compile(rf"(?P<start>(?:^|(?<=[\s;]))(?:{_SECRET_WORDS})\s*=\s*)(?P<secret>'(?:[^'\\]|\\.)*'|[^\s;&]*)", re.IGNORECASE)


def without_secrets(source: Any) -> str:
    """A source as it may be shown: URLs and connection strings without passwords, connections as their class.

    Examples
    --------
    >>> without_secrets("postgresql://me:secret@host/db?sslpassword=other")
    'postgresql://me:***@host/db?sslpassword=***'
    """
    if isinstance(source, (list, tuple)):
        return ", ".join(without_secrets(item) for item in source[:3]) + (" …" if len(source) > 3 else "")
    if not isinstance(source, (str, os.PathLike)):
        return f"{type(source).__module__}.{type(source).__qualname__}"
    text = str(os.fspath(source))
    for pattern in _patterns(text):
        text = pattern.sub(lambda match: match["start"] + _HIDDEN, text)
    return text


def secrets_of(source: Any) -> list[str]:
    """The passwords in a source, as written and decoded, to be taken out of what others say about it."""
    if not isinstance(source, str):
        return []
    found = {match["secret"].strip("'") for pattern in _patterns(source) for match in pattern.finditer(source)}
    return sorted({secret for text in found for secret in (text, unquote(text)) if secret}, key=len, reverse=True)


def scrubbed(message: str, secrets: list[str]) -> str:
    """A message without the secrets."""
    for secret in secrets:
        message = message.replace(secret, _HIDDEN)
    return message


def _patterns(text: str) -> Iterator[re.Pattern[str]]:
    if "://" in text:
        yield _USER_INFO
        yield _PARAMETER
    elif not os.path.exists(text):
        yield _SETTING


def url_scheme(text: str) -> str:
    """The part of a URL before ``://`` in lower case; nothing where it is no URL."""
    return urlsplit(text).scheme.lower() if "://" in text else ""
