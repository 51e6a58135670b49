"""What a viewer can do with annotations: a part of `Viewer`."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import traitlets as t

from blustream_widget.annotations.container import Annotations, AnnotationsChange
from blustream_widget.annotations.item import Item
from blustream_widget.annotations.mirror import AnnotationMirror
from blustream_widget.annotations.questions import VoxelQuestions
from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.annotation import (
    Annotation,
    annotation,
    check_annotation,
    points_of,
)
from blustream_widget.core.annotation_messages import MAX_BINS, Measurement, Want
from blustream_widget.core.horizon import Gate
from blustream_widget.core.horizon_grid import samples_of
from blustream_widget.core.measures import quantities_of, wants_of
from blustream_widget.core.spectrum import Spectrum
from blustream_widget.errors import AnnotationError, ProcessingError
from blustream_widget.link_orders import export_note
from blustream_widget.processing.horizon import Horizon

if TYPE_CHECKING:
    from blustream_widget._kernel_loop import KernelLoop
    from blustream_widget.core.types import VolumeInfo
    from blustream_widget.server_link import Link


class _AnnotationsTrait(t.TraitType[Any, Any]):
    """The one container of a viewer; setting it to a list replaces what is in it."""

    info_text = "annotations"

    def validate(self, obj: Any, value: Any) -> Any:
        container = obj._annotations
        if container is None or value is container:
            return value
        container.replace(value)
        return container


class Annotated(t.HasTraits):
    """Annotations, their history, and measuring them."""

    annotations = _AnnotationsTrait(
        None,
        allow_none=True,
        help="What is drawn on the volume: a sequence of live items, shared with the browser.",
    )

    _annotations: Annotations | None = None
    _mirrored: AnnotationMirror
    _questions: VoxelQuestions

    if TYPE_CHECKING:
        _kernel: KernelLoop

        @property
        def info(self) -> VolumeInfo: ...

    def _start_annotations(self, link: Link, session: str) -> None:
        self._questions = VoxelQuestions(session, link.tell, link.order)
        self._mirrored = AnnotationMirror(session, link.tell, self._on_annotations)
        container = Annotations(
            self._mirrored,
            info=lambda: self.info,
            measure=self.measure,
            on_change=self._tell_trait,
            on_export=lambda what: link.order(export_note(session, what)),
        )
        self.annotations = container
        self._annotations = container

    def undo(self) -> bool:
        """Take back the newest change of annotations that this notebook made; here or in the page.

        Returns
        -------
        bool
            Whether there was one.
        """
        return self._take_back("undo")

    def redo(self) -> bool:
        """Do again what was taken back last; returns whether there was something."""
        return self._take_back("redo")

    def measure(
        self,
        item: Annotation | Item,
        *,
        want: Sequence[Want] | None = None,
        channel: int | None = None,
        bins: int = 64,
        timeout_s: float = 60.0,
    ) -> Measurement:
        """Measure an annotation in world units, and the full-resolution voxels inside.

        Parameters
        ----------
        item : Annotation or Item
            Need not be one of `annotations`.
        want : sequence of {"geometry", "statistics", "profile", "value", "spectrum"}, optional
            Default: all that the kind has but a spectrum. Geometry alone needs no worker.
        channel : int, optional
            Default: the shown one.
        bins : int
            Of the histogram, 1 to 256.
        timeout_s : float

        Raises
        ------
        AnnotationError
            It cannot be in this volume, has no such measure (a self-crossing polygon has no area),
            is too large, or it was not answered in time.
        """
        value = item.value if isinstance(item, Item) else item
        info = self.info
        check_annotation(value, info.shape)
        wanted = wants_of(value) if want is None else tuple(want)
        channel, bins = _channel(channel, info), _whole("bins", bins)
        if not 1 <= bins <= MAX_BINS:
            raise AnnotationError(f"bins = {bins} is out of range.", hint=f"1 to {MAX_BINS}.")
        found = quantities_of(value, info)
        if not set(wanted) - {"geometry"}:
            return Measurement(n=0, id=value.id, progress=1.0, done=True, quantities=found)
        return self._questions.measure(
            value, want=wanted, channel=channel, bins=bins, timeout_s=timeout_s
        )

    def spectrum(
        self,
        item: Annotation | Item,
        *,
        channel: int | None = None,
        timeout_s: float = 60.0,
    ) -> Spectrum:
        """Amplitude spectrum of the traces under a rectangle on a section, or in a box.

        Parameters
        ----------
        item : Annotation or Item
            Need not be one of `annotations`.
        channel : int, optional
            Default: the shown one.
        timeout_s : float

        Returns
        -------
        Spectrum
            Mean over the traces, from full-resolution voxels, with `frequencies`, `amplitude`,
            `decibels`, the `dominant` frequency and the -6 dB band.

        Raises
        ------
        AnnotationError
            The window has no traces (a time slice), fewer than 8 samples, no trace without a gap,
            is too large, or it was not answered in time.
        """
        found = self.measure(item, want=("spectrum",), channel=channel, timeout_s=timeout_s)
        if found.spectrum is None:
            raise AnnotationError(found.no_spectrum)
        return found.spectrum

    def track_horizon(
        self,
        seeds: Any,
        gate: Gate | None = None,
        *,
        channel: int | None = None,
        span: int | None = None,
        timeout_s: float = 300.0,
    ) -> Horizon:
        """Follow a seismic event from its seeds over the volume, in the worker.

        Parameters
        ----------
        seeds : Annotation, Item, or sequence of (i, j, k)
            Voxel coordinates; each snaps to the event first. An item of `annotations` is shown
            with what was followed from it, on every page: a line in each section, a map of its
            depth on time slices.
        gate : Gate, optional
            What counts as the same event; default: a peak.
        channel : int, optional
            Default: the shown one.
        span : int, optional
            Samples above and below the seeds in which it is followed; default: as many as may be
            read (33.5 million voxels in all).
        timeout_s : float

        Returns
        -------
        Horizon
            Grids of shape (n_inline, n_crossline); NaN where it was not followed.

        Raises
        ------
        ProcessingError
            There is no event at a seed, or it takes too long.
        AnnotationError
            The seeds are not points of the volume.
        """
        info = self.info
        points = points_of(seeds.points if isinstance(seeds, (Item, Annotation)) else seeds)
        item = annotation("horizon", points)
        check_annotation(item, info.shape)
        found = self._questions.track(
            item.points,
            _plain(gate or Gate()),
            channel=_channel(channel, info),
            span=None if span is None else _whole("span", span),
            item=seeds.id if isinstance(seeds, Item) else None,
            timeout_s=timeout_s,
        )
        samples, likeness, amplitude = (
            np.frombuffer(data, "<f4").reshape(found.shape).astype(float)
            for data in (found.samples, found.likeness, found.amplitude)
        )
        return Horizon(samples, likeness, amplitude)

    def horizon(self, item: Item, *, timeout_s: float = 30.0) -> Horizon:
        """Return what was followed from a horizon, by `track_horizon` or in the page.

        Parameters
        ----------
        item : Item
            Of kind "horizon".
        timeout_s : float

        Returns
        -------
        Horizon
            Grids of shape (n_inline, n_crossline), samples to 1/128; NaN where it was not followed.
            Likeness and amplitude are not kept: all NaN.

        Raises
        ------
        ProcessingError
            Nothing was followed from it, or the server was replaced since.
        """
        if not item.value.grid:
            raise ProcessingError(
                "Nothing was followed from this annotation.", hint="track_horizon(item) does it."
            )
        found = self._questions.horizon(item.value.grid, timeout_s=timeout_s)
        assert found.packed is not None
        samples = samples_of(found.packed)
        return Horizon(samples, *np.full((2, *samples.shape), np.nan))

    def _take_back(self, what: Literal["undo", "redo"]) -> bool:
        _ = self.info
        is_change = self._mirrored.take_back(what)
        assert self._annotations is not None
        self._annotations.tell(is_remote=True)
        return is_change

    def _tell_trait(self, change: AnnotationsChange) -> None:
        self.notify_change(
            t.Bunch(
                name="annotations",
                old=None,
                new=self._annotations,
                owner=self,
                type="change",
                what=change,
            )
        )

    # -------------------------------------------------- link thread

    def _hear_annotations(self, message: lp.ToKernel) -> None:
        if isinstance(message, lp.SessionOpened):
            self._mirrored.opened(message.annotations_revision)
            self._questions.opened()
        elif isinstance(message, la.Annotations):
            self._mirrored.hear(message)
        elif isinstance(message, la.Measured):
            self._questions.answer(message.measurement)
        elif isinstance(message, la.Tracked):
            self._questions.answer(message.grid)

    def _on_annotations(self) -> None:
        container = self._annotations
        if container is not None:
            self._kernel.call(lambda: container.tell(is_remote=True))


def _channel(value: int | None, info: VolumeInfo) -> int | None:
    if value is None:
        return None
    channel = _whole("channel", value)
    if not 0 <= channel < len(info.channels):
        raise AnnotationError(f"There is no channel {channel}.")
    return channel


def _whole(name: str, value: Any) -> int:
    """Plain number of what may be NumPy's, which no message carries."""
    try:
        return operator.index(value)
    except TypeError:
        raise AnnotationError(f"{name} = {value!r} is not a whole number.") from None


def _plain(gate: Gate) -> Gate:
    return Gate(
        gate.event,
        float(gate.reach),
        _whole("window", gate.window),
        float(gate.min_likeness),
        float(gate.min_amplitude),
    )
