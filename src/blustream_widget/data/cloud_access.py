"""From a reference to what OpenVDS opens: profiles, regions and endpoints of cloud storage.

OpenVDS signs S3 requests with the AWS SDK's chain (keys given, environment, profile, web identity,
container and machine roles) and renews what expires; it reads neither region nor endpoint from it.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from blustream_widget.cloud_env import words_of
from blustream_widget.config import CLOUD_NAMES
from blustream_widget.core.types import VolumeRef
from blustream_widget.errors import ConfigError, MissingDependencyError, VolumeAccessError

_S3_WORDS = {
    "region": "Region",
    "endpointoverride": "EndpointOverride",
    "accesskeyid": "AccessKeyId",
    "secretkey": "SecretKey",
    "sessiontoken": "SessionToken",
}
# Credentials of these profiles are made by a call of their own, which only botocore knows.
_MADE_BY_BOTOCORE = ("sso_session", "sso_start_url", "credential_process", "role_arn")


class Access(NamedTuple):
    """What `openvds.open` takes, and the address that needs no credentials, if there is one."""

    url: str
    connection: str
    public_url: str = ""

    def __repr__(self) -> str:
        return "Access(…)"  # all of it can hold credentials


def find_access(ref: VolumeRef) -> Access:
    """Resolve the credentials of a remote volume; may ask a sign-on service.

    Raises
    ------
    ConfigError
        The connection string has a word that its scheme does not know.
    VolumeAccessError, MissingDependencyError
        The profile gives no credentials, or not without botocore.
    """
    scheme = urlsplit(ref.url).scheme.lower()
    allowed = CLOUD_NAMES.get(scheme, ())
    os.environ.update({k: v for k, v in ref.environment.items() if k in allowed})
    parts = urlsplit(ref.url)
    bucket, key = parts.netloc, parts.path.strip("/")
    if scheme == "s3":
        return _s3_access(ref.url, ref.connection, bucket, key)
    if scheme == "gs":
        public = f"https://storage.googleapis.com/{bucket}/{quote(key)}"
        return Access(ref.url, ref.connection, "" if ref.connection else public)
    if scheme == "azure":
        words = words_of(ref.connection)
        endpoint = words.get("blobendpoint", "").rstrip("/")
        has_secret = {"accountkey", "sharedaccesssignature"} & words.keys()
        if endpoint and not has_secret:
            return Access(f"{endpoint}/{bucket}/{quote(key)}", "")
    return Access(ref.url, ref.connection)


def _s3_access(url: str, connection: str, bucket: str, key: str) -> Access:
    words = words_of(connection)
    if not words.keys() <= {*_S3_WORDS, "profile", "anonymous", *_PASSED_ON}:
        unknown = sorted(words.keys() - {*_S3_WORDS, "profile", "anonymous", *_PASSED_ON})
        # Only names that look like one: a misplaced separator must not show a secret.
        named = f" {unknown[0]!r}" if unknown[0].isalpha() and len(unknown[0]) < 24 else ""
        raise ConfigError(
            f"The connection string has a word{named} that s3:// does not know.",
            hint=f"Known: {', '.join([*_S3_WORDS.values(), 'Profile', 'Anonymous'])}.",
        )
    is_public = words.pop("anonymous", "").lower() in ("true", "1", "yes")
    name, profile = _aws_profile(words.pop("profile", ""))
    region = words.get("region") or _first_of(os.environ, "AWS_REGION", "AWS_DEFAULT_REGION")
    region = region or profile.get("region", "")
    endpoint = words.get("endpointoverride") or _first_of(
        os.environ, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"
    )
    endpoint = (endpoint or profile.get("endpoint_url", "")).rstrip("/")
    if not is_public and "accesskeyid" not in words and set(_MADE_BY_BOTOCORE) & profile.keys():
        words.update(_botocore_keys(name))
    if region:
        words["region"] = region
    if endpoint:
        words["endpointoverride"] = endpoint
        words.setdefault("region", "us-east-1")
    host = f"https://{bucket}.s3.{region or 'us-east-1'}.amazonaws.com"
    public_url = f"{endpoint}/{bucket}/{quote(key)}" if endpoint else f"{host}/{quote(key)}"
    if is_public:
        return Access(public_url, "")
    full = ";".join(f"{_S3_WORDS.get(word, word)}={value}" for word, value in words.items())
    return Access(url, full, "" if "accesskeyid" in words else public_url)


_PASSED_ON = (
    "connectiontimeoutms",
    "requesttimeoutms",
    "expiration",
    "loglevel",
    "waveletadaptivetolerance",
    "waveletadaptiveratio",
)


def _first_of(settings: Mapping[str, str], *names: str) -> str:
    return next((settings[name] for name in names if settings.get(name)), "")


def _aws_profile(wanted: str) -> tuple[str, Mapping[str, str]]:
    """Name and settings of the profile in use, from the configuration and credentials files."""
    if wanted:
        # The chain inside OpenVDS takes it from there, after keys of the environment.
        os.environ["AWS_PROFILE"] = wanted
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            os.environ.pop(variable, None)
    name = wanted or _first_of(os.environ, "AWS_PROFILE", "AWS_DEFAULT_PROFILE") or "default"
    files = (
        ("AWS_CONFIG_FILE", "config", name if name == "default" else f"profile {name}"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials", name),
    )
    settings: dict[str, str] = {}
    is_known = False
    for variable, file, section in files:
        parser = configparser.RawConfigParser(strict=False)
        path = Path(os.environ.get(variable) or Path.home() / ".aws" / file).expanduser()
        try:
            parser.read(path)
        except (configparser.Error, OSError, UnicodeError):
            continue
        if parser.has_section(section):
            is_known = True
            settings.update(parser[section])
    if wanted and not is_known:
        raise VolumeAccessError(
            f"There is no AWS profile {wanted!r}.", hint="Known ones are in ~/.aws/config."
        )
    return name, settings


def _botocore_keys(profile: str) -> dict[str, str]:
    """Keys of a profile that signs on, assumes a role or runs a program."""
    try:
        import botocore.exceptions
        import botocore.session
    except ImportError as exc:
        raise MissingDependencyError(
            f"The AWS profile {profile!r} signs on, assumes a role or runs a program.",
            hint="For such profiles: pip install blustream-widget[cloud]",
        ) from exc
    try:
        found = botocore.session.Session(profile=profile).get_credentials()
        keys = None if found is None else found.get_frozen_credentials()
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as exc:
        # Its text can hold an account or a program's output.
        reason = type(exc).__name__
        raise VolumeAccessError(
            f"The AWS profile {profile!r} gives no credentials ({reason}).",
            hint=f"Try: aws sts get-caller-identity --profile {profile}",
        ) from None
    if keys is None or not keys.access_key:
        return {}
    words = {"accesskeyid": keys.access_key, "secretkey": keys.secret_key}
    return words | ({"sessiontoken": keys.token} if keys.token else {})
