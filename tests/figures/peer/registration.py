"""Bootstrapping_lambda_registration_device, written from the blueprint's text, a step after the other.

The clients are made outside the handler, as AWS advises, so that a warm function has them."""

import json

import boto3

TABLE = "Bootstrapping_table_registration"

dynamodb = boto3.client("dynamodb")
iot = boto3.client("iot")
messages = boto3.client("iot-data")


def lambda_handler(event, context):
    if event["level"] == "request":
        request(event["device"])
    elif event["level"] == "ok":
        set_registered(event["device"], "ok")


def request(device):
    row = dynamodb.get_item(TableName=TABLE, Key=key(device)).get("Item")
    if row is None:
        return
    if row["registered"] not in ({"BOOL": False}, {"S": "false"}):
        count_connection(device)
        return
    # 1. Create a new thing in the IoT Core with the name DEVICE_ID.
    iot.create_thing(thingName=device)
    # 2. Create a new credential for the device with the policy of the table.
    credential = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName=row["policy"]["S"], target=credential["certificateArn"])
    iot.attach_thing_principal(thingName=device, principal=credential["certificateArn"])
    # 3. and 4. Publish the certificate and the key.
    publish(device, "credentials/certificate", credential["certificatePem"])
    publish(device, "credentials/key", credential["keyPair"]["PrivateKey"])
    # 5. and 6. Publish the parameters and their topic.
    parameters = row["parameters"]["S"]
    publish(device, "parameters/", parameters)
    publish(device, "parameters/topic", json.loads(parameters)["topic"])
    # 7. Finally it changes the field registered to state requested.
    set_registered(device, "requested")


def publish(device, level, payload):
    messages.publish(topic=f"bs/device/{device}/{level}", qos=1, payload=payload.encode())


def set_registered(device, state):
    dynamodb.update_item(
        TableName=TABLE,
        Key=key(device),
        UpdateExpression="SET registered = :state",
        ExpressionAttributeValues={":state": {"S": state}},
    )


def count_connection(device):
    dynamodb.update_item(
        TableName=TABLE,
        Key=key(device),
        UpdateExpression="ADD connections :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )


def key(device):
    return {"device": {"S": device}}
