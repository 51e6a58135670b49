"""Write `js/src/protocol.ts` from the Python messages; with `--check` say whether it is fresh."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec.inspect as mi

from blustream_widget.core import (
    annotation,
    annotation_messages,
    call_messages,
    colormaps,
    frame_header,
    label_edit,
    layouts,
    message_types,
    overlay,
    palettes,
    protocol,
    replay_messages,
    sections,
    segmentation,
    share_messages,
    sharing,
    slab,
    spectrum,
    state,
    time_axis,
    types,
    wiggle,
)

TARGET = Path(__file__).resolve().parents[1] / "js" / "src" / "protocol.ts"

_LINE_WIDTH = 100
_CONSTANTS = (
    (protocol, "PROTOCOL_VERSION"),
    (protocol, "MAX_MESSAGE_BYTES"),
    (frame_header, "HEADER_BYTES"),
    (frame_header, "PANE_HEADER_BYTES"),
    (state, "ZOOM_MIN"),
    (state, "ZOOM_MAX"),
    (state, "STRETCH_MIN"),
    (state, "STRETCH_MAX"),
    (state, "PAN_MIN"),
    (state, "PAN_MAX"),
    (state, "PANE_MIN_PX"),
    (state, "PANE_MAX_PX"),
    (state, "PANE_MAX_PIXELS"),
    (state, "WINDOW_MAX"),
    (state, "WINDOW_MIN"),
    (state, "MIN_VOXELS_SHOWN"),
    (annotation, "MAX_POINTS"),
    (annotation, "MAX_ANNOTATIONS"),
    (annotation_messages, "MAX_EDITS"),
    (annotation_messages, "MAX_PROFILE"),
    (types, "PERCENTILES"),
    (types, "ABS_PERCENTILES"),
    (colormaps, "COLORMAPS"),
    (layouts, "LAYOUTS"),
    (label_edit, "MAX_STROKE_POINTS"),
    (slab, "SLAB_MAX"),
    (slab, "SLAB_MODES"),
    (wiggle, "DISPLAYS"),
    (wiggle, "EXCURSION_MIN"),
    (wiggle, "EXCURSION_MAX"),
    (wiggle, "WIGGLE_MIN_PX"),
    (sections, "FENCE_MAX_NODES"),
    (layouts, "PANES_MAX"),
    (overlay, "MAX_TILES"),
    (sharing, "NAME_CHARS"),
    (sharing, "MAX_GUESTS_OF_LINK"),
    (call_messages, "MAX_IN_CALL"),
    (replay_messages, "PIECE_MS"),
    (share_messages, "CHAT_CHARS"),
    (share_messages, "MAX_CHAT_LINES"),
    (share_messages, "MAX_DRAWING_POINTS"),
    (share_messages, "MAX_LINK_CHARS"),
)
_READERS = {
    "B": ("getUint8", 1),
    "H": ("getUint16", 2),
    "I": ("getUint32", 4),
    "i": ("getInt32", 4),
    "f": ("getFloat32", 4),
}
_SIMPLE: dict[type[mi.Type], str] = {
    mi.IntType: "number",
    mi.FloatType: "number",
    mi.StrType: "string",
    mi.BytesType: "string",
    mi.BoolType: "boolean",
    mi.NoneType: "null",
}
_NAMED_LITERALS = {
    frozenset(get_args(types.Kind)): "Kind",
    frozenset(annotation.ANNOTATION_KINDS): "AnnotationKind",
}


def _literal(value: Any) -> str:
    text = json.dumps(value)
    return text.replace("e+", "e") if isinstance(value, float) else text


def _union(parts: list[str]) -> str:
    return " | ".join(dict.fromkeys(parts))


def _type(node: mi.Type) -> str:
    if type(node) in _SIMPLE:
        return _SIMPLE[type(node)]
    match node:
        case mi.LiteralType():
            name = _NAMED_LITERALS.get(frozenset(node.values))
            return name or _union([_literal(value) for value in node.values])
        case mi.UnionType():
            return _union([_type(part) for part in node.types])
        case mi.TupleType():
            return f"readonly [{', '.join(_type(part) for part in node.item_types)}]"
        case mi.VarTupleType() | mi.ListType():
            item = _type(node.item_type)
            return (
                f"readonly ({item})[]"
                if isinstance(
                    node.item_type,
                    mi.UnionType | mi.LiteralType | mi.TupleType | mi.VarTupleType,
                )
                else f"readonly {item}[]"
            )
        case mi.DictType():
            return f"Readonly<Record<string, {_type(node.value_type)}>>"
        case mi.StructType():
            return node.cls.__name__
    raise TypeError(f"No TypeScript for {node!r}")


def _comment(cls: type) -> str:
    first = (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " ").replace("*/", "* /")
    one_line = f"/** {first} */"
    if len(one_line) <= _LINE_WIDTH:
        return one_line
    lines = [" *"]
    for word in first.split():
        if len(lines[-1]) + len(word) >= _LINE_WIDTH:
            lines.append(" *")
        lines[-1] += f" {word}"
    return "\n".join(["/**", *lines, " */"])


def _interface(cls: type, *, sent: bool = False) -> str:
    """Interface of a struct. Of a message that we send, a field with a default may be left out."""
    info = mi.type_info(cls)
    if not isinstance(info, mi.StructType):
        raise TypeError(f"{cls.__name__} is not a struct")
    lines = [_comment(cls), f"export interface {cls.__name__} {{"]
    if info.tag_field is not None:
        lines.append(f"  readonly {info.tag_field}: {_literal(info.tag)};")
    for field in info.fields:
        optional = sent and not field.required
        kind = _type(field.type).removesuffix(" | null") if optional else _type(field.type)
        lines.append(f"  readonly {field.encode_name}{'?' if optional else ''}: {kind};")
    return "\n".join([*lines, "}"])


def _union_type(name: str, members: tuple[type, ...], comment: str) -> str:
    one_line = f"export type {name} = {' | '.join(cls.__name__ for cls in members)};"
    if len(one_line) > _LINE_WIDTH:
        one_line = (
            f"export type {name} =\n" + "\n".join(f"  | {cls.__name__}" for cls in members) + ";"
        )
    return f"/** {comment} */\n{one_line}"


def _constant(module: Any, name: str) -> str:
    value = getattr(module, name)
    if not isinstance(value, tuple):
        number = int(value) if value == int(value) and value < 1e15 else value
        return f"export const {name} = {_literal(number)};"
    items = [_literal(item) for item in value]
    items = [item.removesuffix(".0") for item in items]
    one_line = f"export const {name} = [{', '.join(items)}] as const;"
    if len(one_line) <= _LINE_WIDTH:
        return one_line
    return "\n".join([f"export const {name} = [", *(f"  {item}," for item in items), "] as const;"])


def _enumeration(cls: Any, comment: str) -> str:
    lines = [f"/** {comment} */", f"export const {cls.__name__} = {{"]
    lines += [f"  {member.name}: {member.value}," for member in cls]
    return "\n".join([*lines, "} as const;"])


def _codes(layout: str) -> Iterator[str]:
    """Single letters of a struct layout: "<BB2f" gives B, B, f, f."""
    count = ""
    for letter in layout.lstrip("<"):
        if letter.isdigit():
            count += letter
        else:
            yield from letter * int(count or 1)
            count = ""


def _fields(cls: Any, layout: str, start: str = "") -> list[str]:
    """Lines that read each field of a header; `start` is where it begins in the message."""
    lines, offset = [], 0
    for name, code in zip(cls.__struct_fields__, _codes(layout), strict=False):
        reader, size = _READERS[code]
        little = "" if size == 1 else ", true"
        lines.append(f"{name}: data.{reader}({start}{offset}{little}),")
        offset += size
    return lines


def _header_reader() -> str:
    own = _fields(frame_header.FrameHeader, frame_header.HEADER_LAYOUT)
    pane = _fields(frame_header.PaneHeader, frame_header.PANE_HEADER_LAYOUT, "start + ")
    lines = [
        "/** Of a picture of one pane alone; always the very same list. */",
        "export const NO_PANES: readonly PaneHeader[] = [];",
        "",
        "/** Read the header at the start of a binary message; null if it is too short. */",
        "export function unpackHeader(data: DataView): FrameHeader | null {",
        "  if (data.byteLength < HEADER_BYTES) return null;",
        "  const n_panes = data.getUint8(HEADER_BYTES - 1);",
        "  if (data.byteLength < HEADER_BYTES + n_panes * PANE_HEADER_BYTES) return null;",
        "  return {",
        *(f"    {line}" for line in own[:-1]),
        "    n_panes,",
        "    panes: n_panes ? unpackPanes(data, n_panes) : NO_PANES,",
        "  };",
        "}",
        "",
        "function unpackPanes(data: DataView, n: number): readonly PaneHeader[] {",
        "  return Array.from({ length: n }, (_, i) => {",
        "    const start = HEADER_BYTES + i * PANE_HEADER_BYTES;",
        "    return {",
        *(f"      {line}" for line in pane),
        "    };",
        "  });",
        "}",
    ]
    return "\n".join(lines)


def generate() -> str:
    """Text of `protocol.ts`."""
    sent, received = get_args(protocol.ViewerMessage), get_args(protocol.ServerMessage)
    kinds = _union([_literal(kind) for kind in get_args(types.Kind)])
    drawn = "\n".join(f"  | {_literal(kind)}" for kind in annotation.ANNOTATION_KINDS)
    parts = [
        "// Generated by scripts/generate_protocol.py from the Python messages.",
        "\n".join(_constant(module, name) for module, name in _CONSTANTS),
        "export type Colormap = (typeof COLORMAPS)[number];",
        f"/** What a volume is, judged from its metadata. */\nexport type Kind = {kinds};",
        f"/** What an annotation is. */\nexport type AnnotationKind =\n{drawn};",
        *(
            _interface(cls)
            for cls in (
                palettes.OwnMap,
                palettes.LabelStyle,
                types.Axis,
                types.Channel,
                time_axis.TimeAxis,
                types.VolumeInfo,
                types.LoadedSlices,
                sections.Fence,
                sections.Oblique,
                layouts.PaneState,
                overlay.OverlayLook,
                segmentation.SegmentationLook,
                segmentation.LabelCount,
                segmentation.SegmentationInfo,
                state.ViewState,
                sharing.SharedPerson,
                sharing.ShareLinkInfo,
                share_messages.ChatLine,
                share_messages.Drawing,
                share_messages.PointerPlace,
                replay_messages.ReplayAbout,
                replay_messages.SaidRun,
                call_messages.CallMember,
                call_messages.CallTrack,
                call_messages.MediaEnded,
                annotation.Annotation,
                annotation_messages.Quantity,
                annotation_messages.Statistics,
                annotation_messages.Profile,
                spectrum.Spectrum,
            )
        ),
        # Their defaults may be left out on both ways.
        *(_interface(cls, sent=True) for cls in get_args(annotation_messages.Edit)),
        _interface(label_edit.ValueRange, sent=True),
        *(_interface(cls, sent=True) for cls in get_args(label_edit.LabelEdit)),
        *(_interface(cls, sent=True) for cls in get_args(call_messages.Signal)),
        _union_type("LabelEdit", get_args(label_edit.LabelEdit), "An edit of labels."),
        _union_type("Edit", get_args(annotation_messages.Edit), "A change of annotations."),
        _union_type(
            "OrderedEdit",
            get_args(annotation_messages.OrderedEdit),
            "A change of annotations as the server tells it.",
        ),
        "/** Fields of the view to change; the others stay. */\n"
        'export type ViewPatch = Partial<Omit<ViewState, "revision">>;',
        _enumeration(message_types.MessageType, "Numbers of all messages."),
        *(_interface(cls, sent=True) for cls in sent),
        *(_interface(cls) for cls in received),
        _union_type("ViewerMessage", sent, "What a viewer sends."),
        _union_type("ServerMessage", received, "What the server sends."),
        _enumeration(frame_header.FrameFlags, "What a picture is: bits of `FrameHeader.flags`."),
        _interface(frame_header.PaneHeader),
        _interface(frame_header.FrameHeader),
        _header_reader(),
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file, or with --check say whether it is fresh."""
    text = generate()
    if "--check" in arguments:
        fresh = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        if not fresh:
            print(f"{TARGET.name} is stale: run python scripts/generate_protocol.py")
        return 0 if fresh else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
