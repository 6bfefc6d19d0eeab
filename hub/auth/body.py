"""The body of a request, bounded: forms, JSON and events are read by it alone."""

from __future__ import annotations

from starlette.requests import Request


async def read_body(request: Request, bytes_max: int) -> bytes | None:
    """The body; None when it has more than bytes_max, of which no more is read than it takes to know."""
    if int(request.headers.get("content-length") or 0) > bytes_max:
        return None
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
