"""What schemathesis does not know of its own: the body of a tus upload is bytes."""

import schemathesis


@schemathesis.serializer("application/offset+octet-stream")
def octets(_context, value):
    return value if isinstance(value, bytes) else str(value).encode()
