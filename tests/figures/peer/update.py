"""Devicemanager_lambda_update, written from the blueprint's text, a step after the other.

The clients are made outside the handler, as AWS advises, so that a warm function has them."""

import base64
import json

import boto3

DEVICES = "Bootstrapping_table_registration"
SOFTWARE = "Devicemanager_update"

dynamodb = boto3.client("dynamodb")
messages = boto3.client("iot-data")
s3 = boto3.client("s3")


def lambda_handler(event, context):
    if event["level"] == "request":
        request(event["device"])
    elif event["level"] == "ok":
        confirm(event["device"], json.loads(base64.b64decode(event["payload"]))["version"])


def request(device):
    row = dynamodb.get_item(TableName=DEVICES, Key=key(device)).get("Item")
    if row is None or row["registered"] != {"S": "ok"}:
        return
    # 1. Gets the software's name from the table of devices.
    name = row["firmware"]["S"]
    # 2. Find in the table of software the location where the file is stored.
    software = dynamodb.get_item(TableName=SOFTWARE, Key=key(name))["Item"]
    # 3. Download the file code from the S3 bucket.
    file = s3.get_object(Bucket=software["bucket"]["S"], Key=software["file"]["S"])["Body"].read()
    # 4. Publish the contents of the file; devices of the blueprint decode base64.
    messages.publish(topic=f"dm/device/{device}/update/", qos=1, payload=base64.b64encode(file))


def confirm(device, version):
    dynamodb.update_item(
        TableName=DEVICES,
        Key=key(device),
        UpdateExpression="SET version = :version",
        ExpressionAttributeValues={":version": {"S": str(version)}},
    )


def key(name):
    return {"device": {"S": name}}
