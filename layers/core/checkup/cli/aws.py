"""Questions to AWS, with answers in words where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from checkup.errors import CheckupError

_DENIED: Final = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_NOT_FOUND: Final = {
    "ValidationError",  # a stack; CloudFormation says so also of an update that changes nothing
    "ResourceNotFoundException",
    "NoSuchVersion",
}
_EXPIRED: Final = "your AWS credentials have expired; log in again"
_INVALID: Final = "your AWS credentials are not valid"
_AWAY: Final = "AWS was not reached; is there a network, and such a region?"

_PROBLEMS: Final = {
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "UnauthorizedSSOTokenError": _EXPIRED,
    "SSOTokenLoadError": _EXPIRED,
    "TokenRetrievalError": _EXPIRED,
    "InvalidClientTokenId": _INVALID,
    "SignatureDoesNotMatch": _INVALID,
    "UnrecognizedClientException": _INVALID,
    "NoCredentialsError": "no AWS credentials; log in, or name a profile with --profile",
    "PartialCredentialsError": "your AWS credentials are not complete",
    "EndpointConnectionError": _AWAY,
    "ConnectTimeoutError": _AWAY,
}


class AwsNotFoundError(Exception):
    """What was asked about is not there."""


def call_aws(action: str, call: Callable[..., Any], **question: Any) -> Any:  # noqa: ANN401
    """Call AWS; say what is missing in words, for its own texts hold numbers of accounts.

    Raises:
        AwsNotFoundError: there is nothing of that name.
        CheckupError: anything else.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

    try:
        return call(**question)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _NOT_FOUND:
            raise AwsNotFoundError from None
        if code in _DENIED:
            raise CheckupError(f"you may not do this: it takes the right {action}") from None
        raise CheckupError(_PROBLEMS.get(code, f"AWS refused {action} ({code})")) from None
    except BotoCoreError as error:
        code = type(error).__name__
        raise CheckupError(_PROBLEMS.get(code, f"AWS could not be asked ({code})")) from None
