"""Packs function binaries and uploads them, as `sam package` does: package.py BUCKET NAME=BINARY..."""

import io
import sys
import zipfile

import boto3

bucket, *functions = sys.argv[1:]
s3 = boto3.client("s3")
s3.create_bucket(Bucket=bucket)
for function in functions:
    name, binary = function.split("=", 1)
    package = io.BytesIO()
    # Not compressed: it goes nowhere but to this machine.
    with zipfile.ZipFile(package, "w") as archive:
        archive.write(binary, "bootstrap")
    s3.put_object(Bucket=bucket, Key=name, Body=package.getvalue())
