#!/usr/bin/env python3
"""Replays a function's dead letters: hands each original event to the function again, then deletes the letter.

    python3 infra/replay.py FUNCTION

Needs boto3 and the account's credentials as any AWS tool takes them. A letter that fails again comes back to the
queue by itself, with a new date; nothing is lost if this is interrupted. What is no letter of a function is named
and left in the queue.
"""

import json
import sys

import boto3


def dead_letters(function: str) -> str:
    """The URL of the queue that the function's failures go to."""
    config = boto3.client("lambda").get_function_event_invoke_config(FunctionName=function, Qualifier="$LATEST")
    arn = config["DestinationConfig"]["OnFailure"]["Destination"]
    return boto3.client("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]


def letters(sqs, queue: str, count: int):
    """The letters that lie in the queue now; those that come back meanwhile stay for the next time."""
    while count > 0:
        batch = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=min(count, 10), WaitTimeSeconds=1)
        messages = batch.get("Messages", [])
        yield from messages
        count = count - len(messages) if messages else 0


def event_of(letter: dict):
    """The event that the letter is about, as JSON; none if no function's failure is in it."""
    try:
        return json.dumps(json.loads(letter["Body"])["requestPayload"])
    except (ValueError, KeyError, TypeError):
        return None


def main(function: str) -> None:
    sqs, functions, queue = boto3.client("sqs"), boto3.client("lambda"), dead_letters(function)
    name = "ApproximateNumberOfMessages"
    count = int(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"][name])
    replayed = skipped = 0
    for letter in letters(sqs, queue, count):
        event = event_of(letter)
        if event is None:
            print(f"skipped {letter['MessageId']}: no letter of a function", file=sys.stderr)
            skipped += 1
            continue
        functions.invoke(FunctionName=function, InvocationType="Event", Payload=event)
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=letter["ReceiptHandle"])
        replayed += 1
    print(f"replayed {replayed} of {count} dead letters of {function}, skipped {skipped}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
