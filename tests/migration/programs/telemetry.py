"""Callbacks that print what goes out, what comes back, and what goes wrong."""

from scope_client import ApiKeyCredentials, ErrorInfo, RequestInfo, ResponseInfo, ScopeClient, Telemetry


def log_request(info: RequestInfo):
    print(f"Request: {info.method} {info.url}")


def log_response(info: ResponseInfo):
    print(f"Response: {info.status_code} in {info.elapsed_ms:.2f}ms")


def log_error(info: ErrorInfo):
    print(f"Error: {info.error}")


Telemetry.on_request(log_request)
Telemetry.on_response(log_response)
Telemetry.on_error(log_error)

client = ScopeClient(credentials=ApiKeyCredentials.from_env())
client.get_prompt_version("greeting-template")
try:
    client.get_prompt_version("no-such-prompt")
except Exception as error:
    print(type(error).__name__)
