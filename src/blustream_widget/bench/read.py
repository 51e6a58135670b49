"""Reading slices: cold, from the OS cache and from our own; first picture, drag, cancel, memory.

Volumes are made when they are not there yet; with --folder they stay for the next run. All times
are from asking to having every voxel of a slice, and are set beside a memory map and uncompressed
Zarr bricks of the same numbers, read in the same run.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.bench.read_eye import Eye, Look, Watched
from blustream_widget.bench.read_memory import resident_mb
from blustream_widget.bench.read_volumes import (
    CODECS,
    FORMULA,
    REFERENCES,
    BenchVolume,
    Reference,
)
from blustream_widget.data import VolumeSource
from blustream_widget.data.grid import Shape
from blustream_widget.errors import ConfigError

AXES = ("inline", "crossline", "sample")
CASES = ("first", "slices", "pane", "drag", "scrub", "cancel", "hits", "memory")
_LODS = (0, 1, 2)
_N_CACHED = 12  # twice as many lie within one half of a brick layer: nothing is read ahead
_PLACES = (0.31, 0.69)  # of an axis: in different layers also of LOD2
_FRAME_S = 1 / 30
_SCRUB_S = 1 / 60
_SCRUB_LAYERS = 3

Values = list[float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench read`."""
    parser.add_argument("--sizes", default="512", help="512, or 1024x1024x768; several with commas")
    parser.add_argument(
        "--codecs",
        default="none,slices",
        help=f"of {', '.join((*CODECS, FORMULA))} (default none,slices)",
    )
    parser.add_argument("--cases", default=",".join(CASES), help=f"of {', '.join(CASES)}")
    parser.add_argument("--references", default=",".join(REFERENCES), help="memmap, zarr or none")
    parser.add_argument("--budget-mb", type=int, default=256, help="cache in the memory case")
    parser.add_argument("--folder", type=Path, help="keep the volumes here")
    parser.add_argument("--make", action="store_true", help="only make the volumes")


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    shapes = [_shape(size) for size in arguments.sizes.split(",")]
    cases = _known("case", arguments.cases, CASES)
    kinds = _known("codec", arguments.codecs, (*CODECS, FORMULA))
    asked = "" if arguments.references == "none" else arguments.references
    references = _known("reference", asked, REFERENCES)
    records: list[Record] = []
    with ExitStack() as stack:
        folder = arguments.folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bs-bench-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        for shape in shapes:
            others = [Reference(folder, shape, kind) for kind in references]
            volumes = [BenchVolume(folder, shape, kind) for kind in kinds]
            for volume in volumes:
                volume.make()
            if arguments.make:
                continue
            records += [r for other in others for r in read_reference(other, shape, arguments)]
            for volume in volumes:
                bench = ReadBench(volume, rounds=arguments.rounds)
                records += bench.run(cases, folder, arguments.budget_mb)
    return with_ratios(records)


def _known(what: str, given: str, known: Sequence[str]) -> list[str]:
    words = [word for word in given.split(",") if word]
    for word in words:
        if word not in known:
            raise ConfigError(f"There is no {what} {word!r}.", hint=f"One of: {', '.join(known)}.")
    return words


def _shape(text: str) -> Shape:
    sizes = [int(size) for size in text.split("x")]
    if len(sizes) == 1:
        sizes *= 3
    if len(sizes) != 3 or min(sizes) < 128:
        raise ConfigError(f"{text} is not a size.", hint="For example 512 or 1024x1024x768.")
    return sizes[0], sizes[1], sizes[2]


class ReadBench:
    """All cases of one volume in one format.

    Parameters
    ----------
    volume : BenchVolume
        Made.
    rounds : int
    """

    def __init__(self, volume: BenchVolume, *, rounds: int) -> None:
        self._volume, self._rounds = volume, range(rounds)

    def run(self, cases: Sequence[str], folder: Path, budget_mb: int) -> list[Record]:
        """Measure the named cases."""
        records = self._first() if "first" in cases else []
        with self._open() as source:
            for axis in range(3):
                if "slices" in cases and self._volume.codec != FORMULA:
                    for lod in _LODS:
                        records += self._slices(source, "slice", Look(axis, lod), str(lod))
                if "pane" in cases:
                    records += self._pane(source, axis)
                if "drag" in cases:
                    records.append(self._drag(source, axis))
            if "scrub" in cases:
                records.append(self._scrub(source))
            if "cancel" in cases:
                records.append(self._cancel(source))
            if "hits" in cases:
                records.append(self._hits(source))
        if "memory" in cases:
            records.append(self._memory(folder, budget_mb))
        return records

    @contextmanager
    def _open(self) -> Iterator[VolumeSource]:
        source = self._volume.open()
        try:
            yield source
        finally:
            source.close()

    def _first(self) -> list[Record]:
        """Time from opening to a picture of some level."""
        records = []
        for state in self._states():
            opened: list[Values] = []
            pictures: list[Values] = []
            for _ in self._rounds:
                self._prepare(state)
                start_s = time.perf_counter()
                with self._open() as source:
                    opened.append([1000 * (time.perf_counter() - start_s)])
                    eye = Eye(source)
                    look = Look.through_pane(source.info, 0, in_motion=True)
                    eye.see(look, source.info.shape[0] // 2, coarse=True)
                    pictures.append([1000 * (time.perf_counter() - start_s)])
                    eye.close()
            records.append(self._record("open", opened, state=state))
            records.append(self._record("open to first coarse picture", pictures, state=state))
        return records

    def _slices(self, source: VolumeSource, case: str, look: Look, lod: str) -> list[Record]:
        """Slices of layers that nobody has read, slices seen before, and those between them."""
        read: dict[str, list[Values]] = {state: [] for state in self._states()}
        cached: list[Values] = []
        cut: list[Values] = []
        for _ in self._rounds:
            for state, rounds in read.items():
                values, values_cached, values_cut = [], [], []
                for place in _PLACES:
                    slice_idx = _in_layer(source, look.axis, place)
                    watched = Watched(source)
                    eye = Eye(watched)
                    eye.see(Look(look.axis, 99), slice_idx)  # what is resident from the start
                    self._prepare(state)
                    values.append(eye.see(look, slice_idx))
                    again = range(slice_idx, slice_idx + _N_CACHED)
                    for seen in (*again, slice_idx):
                        eye.see(look, seen)
                    watched.settle()
                    values_cached += [eye.see(look, seen) for seen in again[1:]]
                    others = range(again.stop, again.stop + _N_CACHED)
                    values_cut += [eye.see(look, other) for other in others]
                    eye.close()
                rounds.append(values)
            cached.append(values_cached)
            cut.append(values_cut)
        words = {"axis": AXES[look.axis], "lod": lod}
        records = [
            self._record(case, rounds, state=state, **words) for state, rounds in read.items()
        ]
        return [
            *records,
            self._record(case, cached, state="cached", **words),
            self._record(case, cut, state="cut from memory", **words),
        ]

    def _pane(self, source: VolumeSource, axis: int) -> list[Record]:
        """Read what a pane of 1280 x 720 pixels needs, in motion and at rest."""
        records = []
        for in_motion in (True, False):
            look = Look.through_pane(source.info, axis, in_motion=in_motion)
            case = f"1280x720 pane, {'in motion' if in_motion else 'at rest'}"
            records += self._slices(source, case, look, str(look.lod))
        return records

    def _drag(self, source: VolumeSource, axis: int) -> Record:
        """Read the first slice of a layer that a hand at 30 slices a second comes into."""
        look = Look.through_pane(source.info, axis, in_motion=True)
        layer = source.info.brick_size << look.lod
        crossings: list[Values] = []
        pause = threading.Event()
        for i in self._rounds:
            edge = layer * (1 + i % max(source.info.shape[axis] // layer - 1, 1))
            eye = Eye(source)
            for slice_idx in range(edge - layer // 2 - 2, edge):
                eye.see(look, slice_idx)
                pause.wait(_FRAME_S)
            crossings.append([eye.see(look, edge)])
            eye.close()
        return self._record("into a layer, dragged at 30 slices/s", crossings, axis=AXES[axis])

    def _scrub(self, source: VolumeSource) -> Record:
        """How sharp slices are that nobody waits for, at 60 inlines a second through new layers."""
        levels: list[int] = []
        pause = threading.Event()
        for _ in self._rounds:
            eye = Eye(source)
            eye.see(Look(0, 99), 0)
            begin_s = time.perf_counter()
            for slice_idx in range(source.info.brick_size * _SCRUB_LAYERS):
                data = eye.reader.read(0, slice_idx, 0, 0)
                levels.append(data.coarsest_lod)
                pause.wait(max(begin_s + (slice_idx + 1) * _SCRUB_S - time.perf_counter(), 0))
            eye.close()
        return {
            **self._words("scrub at 60 slices/s"),
            **{
                f"lod{lod}_or_finer_percent": 100 * sum(v <= lod for v in levels) / len(levels)
                for lod in _LODS
            },
        }

    def _cancel(self, source: VolumeSource) -> Record:
        """From moving on to the last answer of what the old slice had in flight."""
        took: list[Values] = []
        for _ in self._rounds:
            self._prepare("cold")
            watched = Watched(source)
            eye = Eye(watched)
            eye.see(Look(0, 99), 0)
            values = []
            for place in _PLACES:
                eye.glance(Look(0), _in_layer(source, 0, place))
                old = watched.open_keys()
                start_s = time.perf_counter()
                eye.reader.read(0, 0, 0, 99)
                watched.wait_for(old)
                values.append(1000 * (time.perf_counter() - start_s))
            eye.close()
            took.append(values)
        return self._record("cancel", took, state="cold")

    def _hits(self, source: VolumeSource) -> Record:
        """Share of the bricks of slices there and back over an edge that were in memory."""
        brick = source.info.brick_size
        edge = source.info.shape[0] // 2 // brick * brick
        there = range(edge - brick // 2, edge + brick // 2)
        watched = Watched(source)
        eye = Eye(watched)
        slices = [*there, *reversed(there)]
        for slice_idx in slices:
            eye.see(Look(0), slice_idx)
        eye.close()
        per_slice = -(-source.info.shape[1] // brick) * -(-source.info.shape[2] // brick)
        if watched.tile_size:
            sides = (-(-n // watched.tile_size) for n in source.info.shape[1:])
            per_slice = next(sides) * next(sides)
        hits = 100 * (1 - watched.n_asked / (per_slice * len(slices)))
        return {**self._words("cache hits of a drag there and back"), "hits_percent": hits}

    def _memory(self, folder: Path, budget_mb: int) -> Record:
        before_mb, most_mb = resident_mb(self._volume, folder, budget_mb)
        return {
            **self._words(f"resident memory, cache of {budget_mb} MB"),
            "before_mb": round(before_mb),
            "most_mb": round(most_mb),
            "growth_of_budget_percent": 100 * (most_mb - before_mb) / budget_mb,
        }

    def _states(self) -> tuple[str, ...]:
        return ("made",) if self._volume.codec == FORMULA else ("cold", "os-warm")

    def _prepare(self, state: str) -> None:
        if state == "cold":
            self._volume.drop()

    def _words(self, case: str, **words: str) -> Record:
        return {"volume": self._volume.name, "codec": self._volume.codec, "case": case, **words}

    def _record(self, case: str, rounds: Sequence[Values], **words: str) -> Record:
        return {**self._words(case, **words), **summarize(rounds, "ms")}


def read_reference(
    reference: Reference, shape: Shape, arguments: argparse.Namespace
) -> list[Record]:
    """Read the same slices of something else; "os-warm" ones are the next slices of the layer."""
    records = []
    for axis, name in enumerate(AXES):
        cold: list[Values] = []
        warm: list[Values] = []
        for _ in range(arguments.rounds):
            cold.append([])
            warm.append([])
            for place in _PLACES:
                slice_idx = int(place * shape[axis])
                reference.drop()
                reference.read(axis, 0)  # opened
                reference.drop()
                cold[-1].append(_ms(reference.read, axis, slice_idx))
                warm[-1] += [
                    _ms(reference.read, axis, slice_idx + i) for i in range(1, _N_CACHED + 1)
                ]
        for state, rounds in (("cold", cold), ("os-warm", warm)):
            words = {"volume": "x".join(map(str, shape)), "codec": reference.kind}
            words |= {"case": "slice", "state": state, "axis": name, "lod": "0"}
            records.append({**words, **summarize(rounds, "ms")})
    return records


def with_ratios(records: list[Record]) -> list[Record]:
    """Set our LOD0 slices beside the references: times theirs, so that below 1 is quicker.

    A slice of our own cache is set beside their OS-warm one: they have no cache.
    """
    theirs = {
        (r["codec"], r["volume"], r["axis"], r["state"]): r["median_ms"]
        for r in records
        if r["codec"] in REFERENCES
    }
    for record in records:
        if record["case"] != "slice" or record["lod"] != "0" or record["codec"] in REFERENCES:
            continue
        state = "os-warm" if record["state"] == "cached" else record["state"]
        for kind in REFERENCES:
            other = theirs.get((kind, record["volume"], record["axis"], state))
            if other and record["median_ms"] is not None:
                record[f"of_{kind}_ratio"] = record["median_ms"] / other
    return records


def _in_layer(source: VolumeSource, axis: int, place: float) -> int:
    """First slice of a LOD0 brick layer, so that the next ones lie in its first half."""
    brick = source.info.brick_size
    return int(place * source.info.shape[axis]) // brick * brick


def _ms(action: Callable[..., object], *arguments: object) -> float:
    start_s = time.perf_counter()
    action(*arguments)
    return 1000 * (time.perf_counter() - start_s)
