"""QR codes of addresses; drawn by segno, which is imported when the first one is wanted."""

from __future__ import annotations


def qr_rows(text: str) -> tuple[str, ...]:
    """Make the QR code of a text: one row of "0" (light) and "1" (dark) after the other.

    Without the quiet zone of four modules around it, which whoever draws it adds. Takes some
    milliseconds.
    """
    import segno

    code = segno.make_qr(text, error="m")
    return tuple("".join("1" if module else "0" for module in row) for row in code.matrix)


def qr_svg(rows: tuple[str, ...], *, size_px: int) -> str:
    """Draw rows as an SVG element, black on white whatever the theme, with the quiet zone."""
    path = "".join(
        f"M{x + 4} {y + 4}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, module in enumerate(row)
        if module == "1"
    )
    n = len(rows) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size_px}" height="{size_px}" '
        f'viewBox="0 0 {n} {n}" shape-rendering="crispEdges" role="img" aria-label="QR code">'
        f'<path fill="#fff" d="M0 0h{n}v{n}H0z"/><path d="{path}"/></svg>'
    )
