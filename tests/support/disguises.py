"""Ways in which a text may lie in a file, for tests that search files for what must not be there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator


def disguises(text: str) -> Iterator[bytes]:
    """Ways in which a text may lie in a file."""
    for plain in {text, text.lower(), text.upper(), json.dumps(text)[1:-1]}:
        utf_8 = plain.encode()
        yield from (utf_8, plain.encode("utf-16-le"), plain.encode("utf-16-be"), utf_8.hex().encode())
        yield utf_8.hex().upper().encode()
        for shift in range(3):
            # Inside a longer base64 text only the middle of an aligned copy stays the same.
            middle = base64.b64encode(b"\0" * shift + utf_8)[4:-4]
            yield from (middle, middle.translate(bytes.maketrans(b"+/", b"-_")))
