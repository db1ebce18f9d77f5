"""The ladder of errors, from the particular to the general."""

import os

from scope_client import (
    ApiKeyCredentials,
    AuthenticationError,
    InvalidCredentialsError,
    MissingVariableError,
    NoProductionVersionError,
    NotFoundError,
    RateLimitError,
    ScopeClient,
    ScopeError,
    TokenRefreshError,
)

client = ScopeClient(credentials=ApiKeyCredentials.from_env(), max_retries=0)
try:
    version = client.get_prompt_version(os.environ["PROMPT"])
    print(version.render(name="Alice"))
except InvalidCredentialsError:
    print("wrong credentials")
except TokenRefreshError:
    print("no token")
except AuthenticationError:
    print("not let in")
except NotFoundError:
    print("no such prompt")
except NoProductionVersionError as e:
    print(f"nothing in production of {e.prompt_id}")
except MissingVariableError as e:
    print(f"missing: {', '.join(e.missing_variables)}")
except RateLimitError as e:
    print(f"again in {e.retry_after:.0f} s")
except ScopeError as e:
    print(f"API error {e.http_status}: {type(e).__name__}")
