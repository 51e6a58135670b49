"""Where the lines of a seismic survey lie on the map."""

from __future__ import annotations

from dataclasses import dataclass

Vector = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Survey:
    """Map coordinates: origin + inline number * inline_step + crossline number * crossline_step.

    Parameters
    ----------
    origin : tuple of float
        Easting and northing of inline 0, crossline 0 (numbers, not indices), in `unit`.
    inline_step, crossline_step : tuple of float
        From one line number to the next.
    unit : str
    crs_wkt : str
        Coordinate reference system, well-known text; "" where unknown.
    """

    origin: Vector
    inline_step: Vector
    crossline_step: Vector
    unit: str = "m"
    crs_wkt: str = ""
