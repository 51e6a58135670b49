"""Shapes in the subsurface: folds, faults with known throw, a salt body, meandering channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blustream_widget.data.synthetic_signal import Floats


class Surface:
    """Smooth random function of inline and crossline: a sum of a few plane waves.

    Parameters
    ----------
    rng : numpy.random.Generator
    wavelength : float
        Voxels, about.
    amplitude : float
        Standard deviation, about.
    """

    def __init__(self, rng: np.random.Generator, wavelength: float, amplitude: float) -> None:
        n_waves = 7
        angle = rng.uniform(0, 2 * np.pi, n_waves)
        number = 2 * np.pi / (wavelength * rng.uniform(0.7, 1.6, n_waves))
        self._k0, self._k1 = number * np.cos(angle), number * np.sin(angle)
        self._phase = rng.uniform(0, 2 * np.pi, n_waves)
        self._scale = amplitude * np.sqrt(2 / n_waves)

    def at(self, i0: Floats, i1: Floats) -> Floats:
        """Value at inline and crossline indices that broadcast to the wanted shape."""
        total = np.zeros(np.broadcast_shapes(i0.shape, i1.shape), np.float32)
        for k0, k1, phase in zip(self._k0, self._k1, self._phase, strict=True):
            total += np.cos(k0 * i0 + k1 * i1 + phase).astype(np.float32)
        return total * np.float32(self._scale)


@dataclass(frozen=True, slots=True)
class Fault:
    """A normal fault: a plane across which layers are offset vertically.

    Parameters
    ----------
    centre : tuple of float
        A point of the plane: inline, crossline, sample index.
    azimuth, dip : float
        Where the plane goes down on the map, from the inline axis, and how steeply; radians.
    throw : float
        Vertical offset at the centre, samples: layers ahead of the plane are deeper by it.
    length : float
        Half the length along strike over which the throw dies out, voxels.
    reach : float
        Distance over which the downthrown side comes back to its level, voxels.
    is_young : bool
        Cuts the layers above the unconformity too.
    """

    centre: tuple[float, float, float]
    azimuth: float
    dip: float
    throw: float
    length: float
    reach: float
    is_young: bool = False

    def throw_at(self, i0: Floats, i1: Floats) -> Floats:
        """Throw in samples on the map, largest at the centre."""
        x, y = i0 - self.centre[0], i1 - self.centre[1]
        along = y * np.cos(self.azimuth) - x * np.sin(self.azimuth)
        share = np.clip(1 - (along / self.length) ** 2, 0, 1)
        values: Floats = (self.throw * np.sqrt(share)).astype(np.float32)
        return values

    def distance(self, i0: Floats, i1: Floats, sample: Floats) -> Floats:
        """Signed distance from the plane in voxels, positive on the downthrown side, 3-D.

        `i0` is (n0, 1), `i1` (1, n1), `sample` (n2,).
        """
        x, y = i0 - self.centre[0], i1 - self.centre[1]
        # A gentle bend along strike: fault traces on a time slice are not straight lines.
        along = y * np.cos(self.azimuth) - x * np.sin(self.azimuth)
        bend = 0.06 * self.length * np.sin(2.2 * along / self.length)
        ahead = x * np.cos(self.azimuth) + y * np.sin(self.azimuth) + bend
        level = (ahead * np.sin(self.dip)).astype(np.float32)
        depth = ((sample - self.centre[2]) * np.cos(self.dip)).astype(np.float32)
        values: Floats = level[:, :, None] - depth
        return values

    def displacement(self, distance: Floats, throw: Floats) -> Floats:
        """How much deeper a layer lies than before the fault, samples, 3-D."""
        fade: Floats = np.exp(np.minimum(distance * np.float32(-1 / self.reach), 0))
        fade *= distance > 0
        fade *= throw[:, :, None]
        return fade


@dataclass(frozen=True, slots=True)
class Salt:
    """A diapir: a stem that widens to a bulb, with an uneven flank, from `top` down.

    Parameters
    ----------
    centre : tuple of float
        Inline and crossline index.
    radius : float
        Of the bulb, voxels.
    top, bottom : float
        Samples.
    flank : Surface
        Unevenness of the outline, voxels.
    """

    centre: tuple[float, float]
    radius: float
    top: float
    bottom: float
    flank: Surface

    def radius_at(self, sample: Floats) -> Floats:
        """Radius of the outline at each sample; negative above the top."""
        u = (sample - self.top) / (self.bottom - self.top)
        cap = np.sqrt(np.clip(u / 0.22, 0, 1)) * np.sqrt(
            np.clip(2 - u / 0.22, 0, 1) * (u < 0.22) + (u >= 0.22)
        )
        waist = 1 - 0.42 * np.exp(-(((u - 0.62) / 0.2) ** 2)) * (u > 0)
        foot = 1 + 1.2 * np.clip(u - 0.75, 0, 1)
        outline = self.radius * cap * waist * foot
        values: Floats = np.where(u < 0, self.radius * 3.0 * u, outline).astype(np.float32)
        return values

    def distance(self, i0: Floats, i1: Floats, sample: Floats) -> Floats:
        """Horizontal distance from the flank, voxels, negative inside, 3-D."""
        away = np.hypot(i0 - self.centre[0], (i1 - self.centre[1]) * 0.8) + self.flank.at(i0, i1)
        values: Floats = away.astype(np.float32)[:, :, None] - self.radius_at(sample)
        return values

    def uplift(self, i0: Floats, i1: Floats, sample: Floats) -> Floats:
        """How far layers were dragged up: most at the flank, less with distance and above, 3-D."""
        away = np.hypot(i0 - self.centre[0], (i1 - self.centre[1]) * 0.8) / self.radius
        on_map = 0.55 * self.radius * np.exp(-(np.clip(away - 0.7, 0, None) ** 1.3) / 0.55)
        # A rim syncline: the salt that rose is missing around it.
        on_map -= 0.16 * self.radius * np.exp(-(((away - 2.3) / 0.6) ** 2))
        by_depth = 1 / (1 + np.exp(-(sample - self.top + 0.4 * self.radius) / (0.45 * self.radius)))
        values: Floats = (on_map[:, :, None] * by_depth).astype(np.float32)
        return values


@dataclass(frozen=True, slots=True)
class River:
    """A buried meandering channel, cut into one layer and filled with something else.

    Parameters
    ----------
    layer : float
        Layer coordinate of its banks.
    course : float
        Inline index about which it winds; it runs along the crosslines.
    width, depth : float
        Half width in voxels, and depth of its bed in samples.
    wavelength, swing : float
        Of the meanders, voxels.
    phase : float
    """

    layer: float
    course: float
    width: float
    depth: float
    wavelength: float
    swing: float
    phase: float

    def bed(self, i0: Floats, i1: Floats) -> Floats:
        """Depth of the bed below the banks on the map, samples; 0 outside."""
        t = 2 * np.pi * i1 / self.wavelength + self.phase
        # Skewed sines lean downstream, as meanders do.
        centre = (
            self.course
            + self.swing * np.sin(t + 0.6 * np.sin(t))
            + 0.35 * self.swing * np.sin(0.37 * t)
        )
        slope = self.swing * 2 * np.pi / self.wavelength * np.cos(t)
        off = (i0 - centre) / (self.width * np.sqrt(1 + slope**2))
        values: Floats = (self.depth * np.clip(1 - off**2, 0, 1)).astype(np.float32)
        return values


# Place (fractions of inline, crossline, sample), azimuth and dip in degrees, throw in samples,
# half length as a fraction, cuts the young layers. A main fault with its antithetic makes a graben;
# the others are a set that was buried by the unconformity.
_FAULTS = (
    (0.46, 0.30, 0.55, 62.0, 61.0, 26.0, 0.95, True),
    (0.58, 0.50, 0.55, 238.0, 66.0, 14.0, 0.70, True),
    (0.25, 0.14, 0.60, 70.0, 58.0, 18.0, 0.60, False),
    (0.28, 0.52, 0.65, 255.0, 63.0, 11.0, 0.45, False),
    (0.22, 0.78, 0.60, 48.0, 56.0, 21.0, 0.50, False),
    (0.80, 0.20, 0.65, 88.0, 67.0, 9.0, 0.40, False),
    (0.90, 0.42, 0.70, 40.0, 60.0, 12.0, 0.38, False),
)


def place_faults(rng: np.random.Generator, shape: tuple[int, int, int]) -> tuple[Fault, ...]:
    """Faults of a volume; the throw scales with the number of samples."""
    n0, n1, n2 = shape
    faults = []
    for f0, f1, f2, azimuth, dip, throw, length, is_young in _FAULTS:
        f0, f1 = f0 + rng.uniform(-0.03, 0.03), f1 + rng.uniform(-0.03, 0.03)
        faults.append(
            Fault(
                centre=(f0 * n0, f1 * n1, f2 * n2),
                azimuth=np.deg2rad(azimuth + rng.uniform(-8, 8)),
                dip=np.deg2rad(dip + rng.uniform(-3, 3)),
                throw=throw * n2 / 512,
                length=length * min(n0, n1),
                reach=0.45 * min(n0, n1),
                is_young=is_young,
            )
        )
    return tuple(faults)


def place_rivers(rng: np.random.Generator, shape: tuple[int, int, int]) -> tuple[River, ...]:
    """Put a wide channel in the young layers and a narrower one above it."""
    n0, n1, n2 = shape
    wide = River(
        layer=0.205 * n2,
        course=0.42 * n0,
        width=0.030 * n0,
        depth=0.024 * n2,
        wavelength=0.47 * n1,
        swing=0.10 * n0,
        phase=rng.uniform(0, 6.28),
    )
    narrow = River(
        layer=0.135 * n2,
        course=0.70 * n0,
        width=0.012 * n0,
        depth=0.014 * n2,
        wavelength=0.21 * n1,
        swing=0.055 * n0,
        phase=rng.uniform(0, 6.28),
    )
    return wide, narrow
