"""What S3 refuses, in sentences of ours: without account numbers, key ids or addresses."""

from __future__ import annotations

import re
from typing import Any

from checkup.errors import StorageError

_NOT_ALLOWED = (
    "access is denied; it takes s3:GetObject, s3:PutObject and s3:DeleteObject on the objects"
    " and s3:ListBucket on the bucket"
)
_EXPIRED = "the credentials have expired"
_INVALID = "the credentials are not valid"
_ELSEWHERE = "the bucket is in another region"
_NO_ANSWER = "S3 did not answer"
_SENTENCES = {
    # codes of answers, https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "AccessDenied": _NOT_ALLOWED,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "ExpiredToken": _EXPIRED,
    "InvalidAccessKeyId": _INVALID,
    "InvalidToken": _INVALID,
    "NoSuchBucket": "there is no such bucket",
    "PermanentRedirect": _ELSEWHERE,
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
    "SignatureDoesNotMatch": _INVALID,
    "SlowDown": "S3 is too busy",
    "TokenRefreshRequired": _EXPIRED,
    # names of botocore's exceptions, for calls without an answer
    "ConnectTimeoutError": _NO_ANSWER,
    "ConnectionClosedError": _NO_ANSWER,
    "CredentialRetrievalError": "the AWS credentials could not be had",
    "EndpointConnectionError": _NO_ANSWER,
    "IncompleteReadError": "the answer of S3 was cut short",
    "NoCredentialsError": "no AWS credentials are configured or in the environment",
    "NoRegionError": 'no region: set "region", or AWS_DEFAULT_REGION in the environment',
    "ParamValidationError": "the name of the bucket is not valid",
    "PartialCredentialsError": "the AWS credentials are not complete",
    "ReadTimeoutError": _NO_ANSWER,
    "ResponseStreamingError": "the answer of S3 was cut short",
    "SSLError": "the certificate of S3 cannot be trusted",
}


class S3Error(StorageError):
    """A request to S3 that came to nothing, told in a sentence.

    Attributes:
        status: of the answer; 0 if there was none.
        code: S3's own name for it; empty if there was no answer.
        retried: the client had tried before, so the request may already have been carried out.
    """

    def __init__(self, sentence: str, *, status: int, code: str, retried: bool) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.retried = retried


def botocore_errors() -> tuple[type[Exception], ...]:
    """Return botocore's two families of exceptions."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

    return BotoCoreError, ClientError


def s3_error(error: Exception, action: str, address: str) -> S3Error:
    """Return what to raise in place of botocore's exception, whose text has account numbers.

    Args:
        action: what was tried, such as ``write``.
        address: what it was tried on, such as ``s3://bucket/key``.
    """
    answer: dict[str, Any] = getattr(error, "response", None) or {}
    code = str(answer.get("Error", {}).get("Code", ""))
    about: dict[str, Any] = answer.get("ResponseMetadata", {})
    status = about.get("HTTPStatusCode", 0)
    reason = _reason(status, code) if answer else _reason_without_answer(type(error).__name__)
    return S3Error(
        f"cannot {action} {address}: {reason}",
        status=status,
        code=code,
        retried=about.get("RetryAttempts", 0) > 0,
    )


def _reason(status: int, code: str) -> str:
    if code in _SENTENCES:
        return _SENTENCES[code]
    if status == 403:  # noqa: PLR2004 - as in HTTP
        return _NOT_ALLOWED
    shown = f" ({code})" if re.fullmatch(r"[A-Za-z][A-Za-z0-9.]{0,60}", code) else ""
    return f"S3 answered {status}{shown}"


def _reason_without_answer(name: str) -> str:
    return _SENTENCES.get(name, f"the request failed ({name})")
