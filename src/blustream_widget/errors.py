"""Errors a user can meet: a stable code, a message that names the thing, a hint."""

from __future__ import annotations

from typing import ClassVar


class BlustreamError(Exception):
    """An error of this package.

    Parameters
    ----------
    message : str
        One sentence that names the thing and its value.
    hint : str, optional
        One sentence that says what to do next.

    Notes
    -----
    `code` is stable: the browser shows its text by it and metrics count by it.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class ConfigError(BlustreamError, ValueError):
    """A setting has a value that cannot work."""

    code = "config"


class StateError(BlustreamError, ValueError):
    """A change of the view state is outside what the volume or the viewer allows."""

    code = "state"


class AnnotationError(BlustreamError, ValueError):
    """An annotation, or a measure of it, is not one that can be; nothing was changed."""

    code = "annotation"


class ViewLinkError(StateError):
    """A text is no copied view, or one of another volume; nothing was changed."""

    code = "view-link"


class VolumeError(BlustreamError):
    """A volume cannot be used."""

    code = "volume"


class VolumeNotFoundError(VolumeError, FileNotFoundError):
    """There is nothing at the path or address."""

    code = "volume-not-found"


class VolumeAccessError(VolumeError, PermissionError):
    """The volume exists, but may not be read."""

    code = "volume-access"


class NoCredentialsError(VolumeAccessError):
    """No credentials for the storage were found where they are looked for."""

    code = "no-credentials"


class StorageUnreachableError(VolumeError, ConnectionError):
    """The storage of a volume does not answer, or cannot at the moment: trying again may help."""

    code = "storage-unreachable"


class VolumeFormatError(VolumeError, ValueError):
    """The file or array is not a volume that can be shown."""

    code = "volume-format"


class VolumeWriteError(VolumeError, OSError):
    """A volume could not be written; nothing is left under its name."""

    code = "volume-write"


class BrickReadError(VolumeError, OSError):
    """A brick of an open volume could not be read."""

    code = "brick-read"


class ProcessingError(BlustreamError, ValueError):
    """What is to be computed from a volume cannot be."""

    code = "processing"


class EditCancelledError(ProcessingError):
    """An edit of labels was cancelled before it was done; nothing was changed."""

    code = "edit-cancelled"


class RenderError(BlustreamError):
    """A picture could not be drawn."""

    code = "render"


class EncodeError(BlustreamError):
    """A picture could not be encoded."""

    code = "encode"


class NoEncoderError(EncodeError):
    """No encoder of this machine opens and encodes a frame."""

    code = "no-encoder"


class EncoderFailedError(EncodeError):
    """An encoder that worked stopped working."""

    code = "encoder-failed"


class TransportError(BlustreamError):
    """The connection between browser, server and kernel failed."""

    code = "transport"


class SignallingError(TransportError):
    """Offer, answer or token exchange failed."""

    code = "signalling"


class IceFailedError(TransportError):
    """No network path was found for WebRTC."""

    code = "ice-failed"


class PeerClosedError(TransportError):
    """The other side is gone."""

    code = "peer-closed"


class ProtocolError(TransportError, ValueError):
    """A message is not one of the protocol, or is out of its bounds."""

    code = "protocol"


class EditsDamagedError(BlustreamError):
    """What a former server kept of edits cannot be read."""

    code = "edits-damaged"


class SessionError(BlustreamError):
    """A session does not allow what was asked."""

    code = "session"


class SessionNotFoundError(SessionError, LookupError):
    """The session has ended or never existed."""

    code = "session-not-found"


class SessionAwaitedError(SessionError):
    """A former server's session that its kernel has not taken up yet: it is a matter of seconds."""

    code = "session-awaited"


class NotDriverError(SessionError, PermissionError):
    """The sender's role does not allow this."""

    code = "not-driver"


class SessionFullError(SessionError):
    """No more viewers or sessions are allowed."""

    code = "session-full"


class TokenError(SessionError, PermissionError):
    """The token is missing, expired, forged or for something else."""

    code = "token"


class ShareError(SessionError, ValueError):
    """A view cannot be shared in this way."""

    code = "share"


class NoLinkError(SessionError, LookupError):
    """A guest's link is not known: it was mistyped, or closed."""

    code = "link"


class LinkExpiredError(SessionError, PermissionError):
    """A guest's link is over its time."""

    code = "link-expired"


class LinkFullError(SessionFullError):
    """A guest's link has let in as many as it may."""

    code = "link-full"


class OwnViewsFullError(SessionFullError):
    """As many people look around on their own as may."""

    code = "own-views-full"


class CallError(SessionError):
    """Somebody cannot take part in a call, or not in this way."""

    code = "call"


class VoiceError(SessionError):
    """Somebody's voice cannot go into a recording, or not in this way."""

    code = "voice"


class RemovedError(SessionError, PermissionError):
    """The owner showed a guest out."""

    code = "removed"


class SharingEndedError(SessionError, PermissionError):
    """The owner shares the view no more."""

    code = "sharing-ended"


class HubServiceError(BlustreamError):
    """JupyterHub's service for guests, or the Hub for that service, does not do what is asked."""

    code = "hub-service"


class HubUnreachableError(HubServiceError, ConnectionError):
    """The Hub, or its service for guests, does not answer."""

    code = "hub-unreachable"


class SignInError(HubServiceError, PermissionError):
    """The Hub does not say, or says no more, that somebody may use the service for guests."""

    code = "signed-out"


class NotSharedError(HubServiceError, LookupError):
    """Nobody shares a view where a guest knocks."""

    code = "not-shared"


class HubFullError(HubServiceError):
    """The service for guests has no more room."""

    code = "hub-full"


class WorkerError(BlustreamError):
    """The worker process could not start, or keeps dying."""

    code = "worker"


class BenchError(BlustreamError, ValueError):
    """Benchmark records cannot be used."""

    code = "bench"


class RecordingError(BlustreamError):
    """A recording cannot be made, or not be read."""

    code = "recording"


class RecordingCancelledError(RecordingError):
    """An export was cancelled; nothing is left of it."""

    code = "recording-cancelled"


class RecordingExistsError(RecordingError, FileExistsError):
    """There is a file under the recording's name already."""

    code = "recording-exists"


class SfuError(BlustreamError):
    """The view cannot be published."""

    code = "sfu"


class SfuRefusedError(SfuError, PermissionError):
    """The SFU does not take the view."""

    code = "sfu-refused"


class SfuUnreachableError(SfuError, ConnectionError):
    """The SFU is not there, or does not answer."""

    code = "sfu-unreachable"


class MissingDependencyError(BlustreamError, ImportError):
    """An optional package is needed and not installed."""

    code = "missing-dependency"


def _all_errors(root: type[BlustreamError]) -> dict[str, type[BlustreamError]]:
    found = {}
    for child in root.__subclasses__():
        found.update(_all_errors(child))
    # A child without a code of its own is a detail of one place: the code means its parent.
    return found | {root.code: root}


def from_code(code: str, message: str, hint: str = "") -> BlustreamError:
    """Rebuild an error that crossed a process boundary as (code, message, hint)."""
    return _all_errors(BlustreamError).get(code, BlustreamError)(message, hint=hint)
