"""Makes the AWS calls for which the workspace has no Rust client: one JSON request a line in, one JSON answer out."""

import json
import sys

import boto3

clients = {}
for line in sys.stdin:
    service, operation, parameters = json.loads(line)
    try:
        if service not in clients:
            clients[service] = boto3.client(service)
        answer = {"Ok": getattr(clients[service], operation)(**parameters)}
    except Exception as error:
        answer = {"Err": str(error)}
    print(json.dumps(answer, default=str), flush=True)
