"""OpenVDS's messages, which name no file and no cure, as errors that do both."""

from __future__ import annotations

import openvds

from blustream_widget.errors import (
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
_COPY_AGAIN = "Copy or import it again."


def translate(exc: Exception, name: str) -> VolumeError:
    """Find the kind of an error that `openvds.open` or a layout raised. `name` shows no secret."""
    text = str(exc).lower()
    if any(
        word in text for word in ("404", "not found", "no such", "nosuchkey", "containernotfound")
    ):
        return VolumeNotFoundError(
            f"There is no volume at {name}.", hint="Check the address, bucket and region."
        )
    if any(
        word in text for word in ("403", "401", "denied", "forbidden", "credential", "authoriz")
    ):
        return VolumeAccessError(
            f"{name} may not be read with these credentials.",
            hint="Check the connection string or the environment's credentials.",
        )
    if any(word in text for word in ("curl", "resolve", "connect", "timeout", "timed out")):
        return VolumeNotFoundError(
            f"The storage of {name} does not answer.",
            hint="Check the network and the endpoint in the connection string.",
        )
    return VolumeFormatError(
        f"{name} is not a readable VDS: truncated, damaged or of another format.", hint=_COPY_AGAIN
    )
