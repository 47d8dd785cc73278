"""Makes a bucket in an S3-compatible service, with nothing of the program under test.

usage: make_bucket.py ENDPOINT ACCESS_KEY SECRET_KEY BUCKET
"""

import datetime
import hashlib
import hmac
import http.client
import sys
import urllib.parse

endpoint, access, secret, bucket = sys.argv[1:]
host = urllib.parse.urlparse(endpoint).netloc
now = datetime.datetime.now(datetime.timezone.utc)
stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
empty = hashlib.sha256(b"").hexdigest()
scope = f"{day}/us-east-1/s3/aws4_request"
headers = {"host": host, "x-amz-content-sha256": empty, "x-amz-date": stamp}
names = ";".join(sorted(headers))
lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
request = f"PUT\n/{bucket}\n\n{lines}\n{names}\n{empty}"
text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
key = f"AWS4{secret}".encode()
for part in (day, "us-east-1", "s3", "aws4_request"):
    key = hmac.new(key, part.encode(), hashlib.sha256).digest()
signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
headers["authorization"] = (
    f"AWS4-HMAC-SHA256 Credential={access}/{scope},SignedHeaders={names},Signature={signature}"
)
connection = http.client.HTTPConnection(host, timeout=60)
connection.request("PUT", f"/{bucket}", headers=headers)
answer = connection.getresponse()
said = answer.read().decode(errors="replace")
if answer.status not in (200, 409):
    sys.exit(f"making {bucket} at {endpoint}: {answer.status} {said}")
