"""Runs the emulator on loopback, for as long as whoever started it holds on, with its traps mended.

The emulator is pinned: a trap that is no longer where it was ends the launch instead of passing unseen.
"""

import inspect
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from urllib.parse import unquote


def stay_on_loopback():
    """BIND_HOST does not reach the listener for mutual TLS: it binds every interface."""
    bind = socket.socket.bind

    def bind_loopback(self, address):
        if self.family == socket.AF_INET:
            address = ("127.0.0.1", address[1])
        return bind(self, address)

    socket.socket.bind = bind_loopback


def end_when_let_go():
    """One byte on standard input means: stay. Its end without that byte means that nobody is left to stop us."""
    if not sys.stdin.buffer.read(1):
        os.killpg(0, signal.SIGTERM)


def start_private_ca():
    """The command that is left in the arguments plays AWS Private CA. It ends with its standard input, so with this
    process, however that ends. The functions hear of it as they hear of the emulator: by its environment."""
    command, sys.argv = sys.argv[1:], sys.argv[:1]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    endpoint = server.stdout.readline().strip()
    if not endpoint:
        sys.exit("the private CA did not start")
    os.environ["AWS_ENDPOINT_URL_ACM_PCA"] = endpoint
    return server


def replace(module, name, replacement):
    """Puts `replacement` in the place of a function that must take the same arguments."""
    original = getattr(module, name)
    if list(inspect.signature(original).parameters) != list(inspect.signature(replacement).parameters):
        sys.exit(f"{module.__name__}.{name} is not what it was in the pinned version")
    setattr(module, name, replacement)
    return original


def let_rules_invoke_asynchronously():
    """A rule's Lambda action runs the function once and forgets it. On AWS, Lambda retries and keeps dead letters."""
    from ministack.services import iot, lambda_svc

    def dispatch(account_id, region, function_arn, event):
        function, config, _ = lambda_svc._get_func_record_for_ref_in_scope(
            function_arn, account_id=account_id, region=region
        )
        if not function:
            raise LookupError(f"no function {function_arn}")  # the rule's error action takes it from here
        lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), event)

    replace(iot, "_dispatch_rule_to_lambda", dispatch)


def let_events_wait_for_concurrency():
    """An event above the reserved concurrency costs one of its three tries. On AWS it waits in Lambda's queue."""
    from ministack.services import lambda_svc

    freed = threading.Condition()

    def acquire(func, config):
        with freed:
            while True:
                slot, limit = acquire_at_once(func, config)
                if slot or lambda_svc._reserved_concurrency(func, config) == 0:
                    return slot, limit
                freed.wait()

    def release(key):
        release_silently(key)
        with freed:
            freed.notify_all()

    acquire_at_once = replace(lambda_svc, "_acquire_execution_slot", acquire)
    release_silently = replace(lambda_svc, "_release_execution_slot", release)


def hear_streams_at_once():
    """A table's stream is looked at once a second. On AWS, Lambda hears of a record within a fraction of that."""
    from ministack.core.concurrency import esm_wake
    from ministack.services import dynamodb

    def emit(table_name, event_name, old_item, new_item, replicate=True):
        emit_silently(table_name, event_name, old_item, new_item, replicate)
        esm_wake.set()

    emit_silently = replace(dynamodb, "_emit_stream_event", emit)


def reserve_concurrency():
    """CloudFormation drops a function's ReservedConcurrentExecutions."""
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create_unreserved = handlers["create"]

    def create(logical_id, props, stack_name):
        name, attributes = create_unreserved(logical_id, props, stack_name)
        if "ReservedConcurrentExecutions" in props:
            reserved = {"ReservedConcurrentExecutions": int(props["ReservedConcurrentExecutions"])}
            lambda_svc._put_function_concurrency(name, reserved)
        return name, attributes

    handlers["create"] = create


def take_loopback_for_secure():
    """A bucket that is closed to plain HTTP is closed to everybody here, where nothing leaves the machine."""
    from ministack.core import iam_evaluator

    def pin(source_ip, secure_transport):
        pin_as_it_is(source_ip, True)

    pin_as_it_is = replace(iam_evaluator, "pin_request_origin", pin)


def slice_versions():
    """S3 gives the whole object to a reader who wants a range of a certain version."""
    from ministack.services import s3

    def get(bucket_name, key, headers, query_params=None):
        status, answer, body = get_whole(bucket_name, key, headers, query_params)
        wanted = headers.get("range")
        if status != 200 or not wanted:
            return status, answer, body
        answer = {name: value for name, value in answer.items() if not name.lower().startswith("x-amz-checksum-")}
        bounds = s3._parse_range(wanted, len(body))
        if bounds is None:
            return 416, {"Content-Type": "application/xml"}, s3._xml_body(s3._range_error_xml(bucket_name, key))
        part = body[bounds[0] : bounds[1] + 1]
        answer.update({"Content-Length": str(len(part)), "Content-Range": f"bytes {bounds[0]}-{bounds[1]}/{len(body)}"})
        return 206, answer, part

    get_whole = replace(s3, "_get_object", get)


def demand_certificates():
    """A client without a certificate is let in, and no policy holds it back."""
    from ministack.services import iot

    def build():
        context = build_lenient()
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    build_lenient = replace(iot, "_mtls_build_ssl_context", build)


def tell_characters_from_wildcards():
    """An IoT policy's `${*}` and `${?}` stand for themselves, and so does what a client is called or asks for."""
    from ministack.services import iot

    marks = str.maketrans({"*": "\ue000", "?": "\ue001"})

    def parse(document, context):
        document = document.replace("${*}", "*".translate(marks)).replace("${?}", "?".translate(marks))
        return parse_wildcards(document.replace("${$}", "$"), context)

    def allows(account_id, region, certificate_id, context, action, resource, provisioning_template=None):
        context, resource = {name: value.translate(marks) for name, value in context.items()}, resource.translate(marks)
        return allows_marked(account_id, region, certificate_id, context, action, resource, provisioning_template)

    parse_wildcards = replace(iot, "_parsed_iot_policy", parse)
    allows_marked = replace(iot, "_mqtt_policy_allows", allows)


def end_connections():
    """DeleteConnection is missing. This is our own stand-in, by AWS's description alone (AWS IoT API reference)."""
    from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
    from ministack.services import iot, iot_data

    async def handle(method, path, headers, body, query_params):
        if method != "DELETE" or not path.startswith("/connections/"):
            return await handle_others(method, path, headers, body, query_params)
        client = unquote(path.removeprefix("/connections/"))
        session = iot._connected_clients.get((get_account_id(), get_region(), client))
        if session is None:
            return error_response_json("ResourceNotFoundException", f"{client} is not connected", 404)
        if query_params.get("preventWillMessage") in ("true", ["true"]):
            session._will_topic = None
        if query_params.get("cleanSession") in ("true", ["true"]):
            session._persist_session = False
        session._forced_disconnect_reason = "API_INITIATED_DISCONNECT"
        await session._send({"type": "websocket.close", "code": 1000})
        await session.cleanup()
        return json_response({})

    handle_others = replace(iot_data, "handle_request", handle)


def name_what_iot_calls_touch():
    """IAM is asked about a topic without its trailing slash, and not about the certificate that has a policy or a thing,
    nor about the client that is disconnected."""
    from ministack.core import iam_actions

    def arn(service, method, path, headers, body, query_params, region, account_id):
        if service.startswith("iot") and path.startswith("/connections/"):
            return f"arn:aws:iot:{region}:{account_id}:client/{path.removeprefix('/connections/')}"
        if service.startswith("iot") and path.startswith("/topics/"):
            return f"arn:aws:iot:{region}:{account_id}:topic/{path.removeprefix('/topics/')}"
        if service == "iot" and path.startswith("/target-policies/"):
            return json.loads(body)["target"]
        if service == "iot" and path.startswith("/attached-policies/"):
            return unquote(path.removeprefix("/attached-policies/"))
        if service == "iot" and "x-amzn-principal" in headers:
            return headers["x-amzn-principal"]
        return arn_of_others(service, method, path, headers, body, query_params, region, account_id)

    arn_of_others = replace(iam_actions, "extract_resource_arn", arn)


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    threading.Thread(target=end_when_let_go, daemon=True).start()
    private_ca = start_private_ca()
    stay_on_loopback()
    let_rules_invoke_asynchronously()
    let_events_wait_for_concurrency()
    hear_streams_at_once()
    reserve_concurrency()
    take_loopback_for_secure()
    slice_versions()
    demand_certificates()
    tell_characters_from_wildcards()
    end_connections()
    name_what_iot_calls_touch()

    from ministack.app import main

    main()
