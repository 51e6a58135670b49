"""OpenVDS's messages as errors that name the volume and say what to do.

Its texts hold whole addresses, signatures included: nothing of them is passed on but what the
patterns below take out.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import openvds

from blustream_widget.errors import (
    ConfigError,
    NoCredentialsError,
    StorageUnreachableError,
    VolumeAccessError,
    VolumeError,
    VolumeFormatError,
    VolumeNotFoundError,
)

# They share no base class of their own.
OPENVDS_ERRORS = (
    RuntimeError,
    openvds.Exception,
    openvds.FatalException,
    openvds.IndexOutOfRangeException,
    openvds.InvalidArgument,
    openvds.InvalidOperation,
    openvds.ReadErrorException,
)

_Made = VolumeError | ConfigError
_Make = Callable[[str, "re.Match[str]"], _Made]

_TRY_AGAIN = "Try again in a moment."


def _access(message: str, hint: str) -> _Make:
    return lambda name, _: VolumeAccessError(message.format(name=name), hint=hint)


def _no_keys(message: str, hint: str) -> _Make:
    return lambda name, _: NoCredentialsError(message.format(name=name), hint=hint)


def _not_found(message: str, hint: str) -> _Make:
    return lambda name, _: VolumeNotFoundError(message.format(name=name), hint=hint)


def _unreachable(message: str, hint: str) -> _Make:
    return lambda name, _: StorageUnreachableError(message.format(name=name), hint=hint)


def _first_group(match: re.Match[str]) -> str:
    return next((group for group in match.groups() if group), "")


def _wrong_region(name: str, match: re.Match[str]) -> VolumeError:
    where = _first_group(match)
    return VolumeAccessError(
        f"The bucket of {name} is in another region{f': {where}' if where else ''}.",
        hint='Set AWS_REGION, or give connection="Region=...".',
    )


def _bad_word(name: str, match: re.Match[str]) -> ConfigError:
    word = _first_group(match)
    word = word if len(word) < 24 else ""  # longer ones could be a misplaced secret
    return ConfigError(
        f"The connection string of {name} has a word{f' {word!r}' if word else ''} that cannot be.",
        hint="It is Name=value, separated by semicolons; docs/cloud.md lists the names.",
    )


# In this order: what is special before what is general. Case is ignored.
_KINDS: tuple[tuple[str, _Make], ...] = (
    (r"invalid key \"(\w+)\"|invalid value|missing required = sign|duplicate key", _bad_word),
    (
        r"unexpected aws signing failure",
        _no_keys(
            "No AWS credentials were found for {name}.",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in the kernel.",
        ),
    ),
    (
        r"azure config error|cannot find account name",
        _no_keys(
            "No Azure credentials were found for {name}.",
            "Set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT and "
            "AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, in the kernel.",
        ),
    ),
    (
        r"google cloud storage config error",
        _no_keys(
            "No Google credentials were found for {name}, or they cannot be used.",
            "Set GOOGLE_APPLICATION_CREDENTIALS to the path of a key file, or run: "
            "gcloud auth application-default login",
        ),
    ),
    (
        r"could not resolve region",
        _unreachable(
            "The region of the bucket of {name} cannot be found out.",
            'Set AWS_REGION, or give connection="Region=...".',
        ),
    ),
    (
        r"region '[^']*' is wrong; expecting '([a-z0-9-]+)'|permanentredirect"
        r"|must be addressed using the specified endpoint|error response: 30[178]",
        _wrong_region,
    ),
    (
        r"expired|signature not valid in the specified time",
        _access("The credentials for {name} have expired.", "Sign on again, then run the cell."),
    ),
    (
        r"requesttimetooskewed|request time and the (?:current|server)",
        _access("The clock here is wrong for the storage of {name}.", "Set this machine's clock."),
    ),
    (
        r"bucket does not exist|nosuchbucket|container does not exist|containernotfound",
        _not_found("There is no bucket or container as in the address of {name}.", "Check it."),
    ),
    (
        r"\b404\b|does not exist|not found|no such|nosuchkey",
        _not_found("There is no volume at {name}.", "Check the address."),
    ),
    (
        r"\b40[13]\b|denied|forbidden|failed to authenticate|authorizationfailure",
        _access(
            "{name} may not be read with these credentials: the storage refuses.",
            "Check that they are of the right account and may read the bucket.",
        ),
    ),
    (
        r"\b(?:429|50[0234])\b",
        _unreachable("The storage of {name} is busy or out of order.", _TRY_AGAIN),
    ),
    (
        r"curle? ?(?:error )?code: (?:35|51|53|54|58|59|60|64|66|77|80|83|90|91)\b|ssl|certificate",
        _unreachable(
            "The storage of {name} gives no valid TLS connection.",
            "Check https:// or http:// in the endpoint, its certificate, and proxies between.",
        ),
    ),
    (
        r"code: [56]\b|n't resolve host",
        _unreachable(
            "The host of {name} has no address: name resolution failed.",
            "Check the network, and the bucket, account or endpoint in the address.",
        ),
    ),
    (
        r"code: 7\b|n't connect to server",
        _unreachable(
            "The storage of {name} takes no connections.",
            "Check the endpoint and the network.",
        ),
    ),
    (
        r"code: 28\b|time-?out|timed out",
        _unreachable("The storage of {name} does not answer.", "Check the network."),
    ),
    (
        r"\bcurle?\b|network socket|get a new connection|connection (?:was )?(?:reset|closed)",
        _unreachable("The connection to the storage of {name} broke.", _TRY_AGAIN),
    ),
)
_PATTERNS = tuple((re.compile(pattern), make) for pattern, make in _KINDS)
# Digits of an address must not look like a status.
_ADDRESSES = re.compile(r"https?://\S+")


def translate(text: object, name: str) -> VolumeError | ConfigError:
    """Find the kind of an error that `openvds.open`, a layout or a request gave.

    Parameters
    ----------
    text : exception or str
    name : str
        Of the volume; shows no secret.
    """
    found = translate_storage(text, name)
    return found or VolumeFormatError(
        f"{name} is not a readable VDS: truncated, damaged or of another format.",
        hint="Copy or import it again.",
    )


def translate_storage(text: object, name: str) -> VolumeError | ConfigError | None:
    """Find out what the storage said; None if it is the volume itself that is wrong."""
    words = _ADDRESSES.sub("", str(text)).lower()
    for pattern, make in _PATTERNS:
        match = pattern.search(words)
        if match is not None:
            return make(name, match)
    return None


def unanswered(name: str) -> StorageUnreachableError:
    """Give the error for a storage that keeps silent."""
    return StorageUnreachableError(
        f"The storage of {name} does not answer.", hint="Check the network."
    )
