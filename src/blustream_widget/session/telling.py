"""What a session, or one person's own view of its volume, tells and asks: the same for both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import LoadedSlices, VolumeInfo
from blustream_widget.errors import StateError
from blustream_widget.transport.ice_servers import IceServers, ice_servers_for

if TYPE_CHECKING:
    from blustream_widget.config import Config
    from blustream_widget.session.supervisor import Supervisor
    from blustream_widget.session.viewer import Viewer


def status_of(
    supervisor: Supervisor, progress: wp.Progress, loaded: LoadedSlices, *, n_viewers: int
) -> p.Status:
    """Say what a worker is doing."""
    return p.Status(
        worker=supervisor.status,
        lod=progress.lod,
        progress=progress.progress,
        exact=progress.exact,
        trouble=progress.trouble,
        encoder=supervisor.capabilities.encoder,
        codec=supervisor.capabilities.codec,
        viewers=n_viewers,
        loaded=loaded,
    )


def welcome_to(
    session_id: str,
    viewer: Viewer,
    state: ViewState,
    info: VolumeInfo | None,
    config: Config,
    ice_servers: IceServers,
) -> p.Welcome:
    """Welcome a viewer, with the credentials of its own for TURN servers."""
    servers = ice_servers_for(viewer.person, ice_servers, config, is_guest=viewer.guest is not None)
    return p.Welcome(
        session=session_id,
        peer=viewer.peer,
        role=viewer.role,
        state=state,
        info=info,
        webrtc="webrtc" in config.transports.split(","),
        ice_servers=tuple(map(dict, servers)),
        ice_loopback=config.ice_loopback,
        ice_relay_only=config.ice_relay_only,
        via=viewer.via,
    )


def value_of(probed: wp.ProbedValue) -> vm.Value:
    """Pass on what a worker found in a voxel."""
    return vm.Value(probed.n, probed.voxel, probed.value, probed.labels, probed.overlays)


def source_channel(info: VolumeInfo | None, state: ViewState, channel: int | None = None) -> int:
    """Give the number of a channel, or the shown one, at the shown step."""
    wanted = state.channel if channel is None else channel
    if info is None or info.time is None:
        return wanted
    # One that there is not must not be taken for one of another step.
    exists = wanted < len(info.channels)
    return info.at_time(wanted, state.time_idx if exists else info.n_steps)


def probe_of(peer: int, message: vm.Probe, info: VolumeInfo, state: ViewState) -> wp.ProbeVoxel:
    """Ask a worker for a voxel's value.

    Raises
    ------
    StateError
        The volume has no such voxel.
    """
    if any(v >= n for v, n in zip(message.voxel, info.shape, strict=True)):
        raise StateError(
            f"There is no voxel {message.voxel}.", hint=f"The volume has {info.shape} voxels."
        )
    channel = source_channel(info, state)
    return wp.ProbeVoxel(peer=peer, n=message.n, channel=channel, voxel=message.voxel)


def layer_names(state: ViewState) -> tuple[str, ...]:
    """Names of the labels and overlays that a view has, shown or hidden."""
    return tuple(look.name for look in (*state.segmentations, *state.overlays))
