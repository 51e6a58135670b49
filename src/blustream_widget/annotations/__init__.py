"""Annotations as data: what is drawn on a volume, measured, saved and read again."""

from __future__ import annotations

from blustream_widget.annotations.container import Annotations, AnnotationsChange
from blustream_widget.annotations.item import Item
from blustream_widget.core.annotation import ANNOTATION_KINDS, Annotation, annotation
from blustream_widget.core.annotation_messages import Measurement, Profile, Quantity, Statistics
from blustream_widget.core.spectrum import Spectrum

__all__ = [
    "ANNOTATION_KINDS",
    "Annotation",
    "Annotations",
    "AnnotationsChange",
    "Item",
    "Measurement",
    "Profile",
    "Quantity",
    "Spectrum",
    "Statistics",
    "annotation",
]
