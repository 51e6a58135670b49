"""Opens volumes in cloud storage, public ones too where no credentials are found."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from blustream_widget.core.types import VolumeRef
from blustream_widget.data.cloud_access import find_access
from blustream_widget.data.source import VolumeSource
from blustream_widget.errors import NoCredentialsError, VolumeAccessError

logger = logging.getLogger(__name__)

OpenVds = Callable[[str, VolumeRef], VolumeSource]


def open_cloud(ref: VolumeRef, open_vds: OpenVds) -> VolumeSource:
    """Open a remote reference, its credentials resolved anew.

    Parameters
    ----------
    ref : VolumeRef
    open_vds : callable
        Opens an address with a reference whose connection string is complete.

    Raises
    ------
    VolumeError, ConfigError
    """
    access = find_access(ref)
    try:
        return open_vds(
            access.url, msgspec.structs.replace(ref, url=access.url, connection=access.connection)
        )
    except NoCredentialsError as exc:
        if not access.public_url:
            raise
        logger.info("No credentials: trying whether the volume is public")
        public = msgspec.structs.replace(ref, url=access.public_url, connection="")
        try:
            return open_vds(access.public_url, public)
        except VolumeAccessError:
            raise exc from None  # not public: credentials are what is missing
