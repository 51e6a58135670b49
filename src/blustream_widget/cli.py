"""`blustream`: demo, import, info, doctor, bench, serve, hub-service."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from blustream_widget._version import __version__
from blustream_widget.errors import BlustreamError

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status. Errors of ours are one line, not a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["bench"]:  # argparse would keep `bench --help` for itself
            return _bench(words[1:])
        arguments = _parser().parse_args(words)
        command: Command = arguments.command
        return command(arguments)
    except BlustreamError as exc:
        print(f"blustream: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("blustream: stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="blustream", description="Look at huge volumes from a notebook."
    )
    parser.add_argument("--version", action="version", version=f"blustream {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="make a demo volume and open it in JupyterLab")
    demo.add_argument(
        "--headless", action="store_true", help="run it in headless Chromium, check, exit"
    )
    demo.add_argument("--folder", type=Path, default=Path("blustream-demo"), help="working folder")
    demo.add_argument("--size", type=int, default=512, help="voxels per side of the volume")
    demo.add_argument("--screenshot", type=Path, help="where --headless saves its picture")
    demo.set_defaults(command=_demo)

    importer = commands.add_parser("import", help="turn NIfTI, NumPy or SEG-Y into VDS")
    importer.add_argument("source", type=Path)
    importer.add_argument("target", type=Path)
    importer.add_argument(
        "--labels", type=Path, help="second file of the same grid, as label channel"
    )
    importer.add_argument("--codec", default="none", choices=["none", "rle", "zip", "wavelet"])
    importer.add_argument("--brick", type=int, default=64, choices=[32, 64, 128, 256])
    importer.add_argument("--force", action="store_true", help="replace an existing target")
    importer.set_defaults(command=_import)

    optimize = commands.add_parser(
        "optimize", help="store the slices of a VDS once more, so that any one is read at once"
    )
    optimize.add_argument("source", help="survey.vds gets survey.slices.vds beside it")
    optimize.add_argument("--force", action="store_true", help="write it anew in any case")
    optimize.set_defaults(command=_optimize)

    info = commands.add_parser("info", help="print what is inside a volume")
    info.add_argument("source")
    info.add_argument("--connection", default="", help="OpenVDS connection string")
    info.set_defaults(command=_info)

    doctor = commands.add_parser("doctor", help="say what works on this machine, and why not")
    doctor.set_defaults(command=_doctor)

    commands.add_parser("bench", help="measure, and compare with an earlier run")

    _add_servers(commands)
    return parser


def _add_servers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser("serve", help="run the server in the foreground")
    serve.set_defaults(command=_serve)

    service = commands.add_parser(
        "hub-service", help="let users of a JupyterHub see shared views; the Hub starts it"
    )
    service.add_argument("--ip", default="", help="where it listens, if not at its url's host")
    service.set_defaults(command=_hub_service)


def _demo(arguments: argparse.Namespace) -> int:
    from blustream_widget.demo import run_demo

    return run_demo(
        arguments.folder,
        size=arguments.size,
        headless=arguments.headless,
        screenshot=arguments.screenshot,
    )


@contextmanager
def _stopped_cleanly() -> Iterator[None]:
    """Let `kill` end a long work like Ctrl-C: its unfinished file is removed."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _import(arguments: argparse.Namespace) -> int:
    from blustream_widget.data.importer import import_volume
    from blustream_widget.progress import ProgressBar

    with _stopped_cleanly(), ProgressBar() as bar:
        import_volume(
            arguments.source,
            arguments.target,
            labels=arguments.labels,
            codec=arguments.codec,
            brick=arguments.brick,
            overwrite=arguments.force,
            progress=bar.show,
        )
    print(f"wrote {arguments.target}")
    return 0


def _optimize(arguments: argparse.Namespace) -> int:
    from blustream_widget.data.optimize import write_slice_copy
    from blustream_widget.progress import ProgressBar

    announced: list[int] = []

    def announce(n_bytes: int) -> None:
        announced.append(n_bytes)
        print(f"writing {n_bytes / 1e9:.2f} GB beside {arguments.source}", flush=True)

    with _stopped_cleanly(), ProgressBar() as bar:
        target = write_slice_copy(
            arguments.source, overwrite=arguments.force, announce=announce, progress=bar.show
        )
    size_gb = target.stat().st_size / 1e9
    print(f"wrote {target} ({size_gb:.2f} GB)" if announced else f"{target} is up to date")
    return 0


def _info(arguments: argparse.Namespace) -> int:
    from blustream_widget.data.describe import describe
    from blustream_widget.source_arg import volume_ref

    ref, _ = volume_ref(arguments.source, connection=arguments.connection)
    print(describe(ref))
    return 0


def _doctor(_arguments: argparse.Namespace) -> int:
    from blustream_widget.doctor import examine

    report = examine()
    print(report.text())
    return 0 if report.usable else 1


def _bench(words: Sequence[str]) -> int:
    from blustream_widget.bench.main import main as bench_main

    return bench_main(words)


def _serve(_arguments: argparse.Namespace) -> int:
    from blustream_widget.server.ice import load_settings
    from blustream_widget.server.main import run

    config, ice_servers = load_settings()
    run(config, ice_servers=ice_servers)
    return 0


def _hub_service(arguments: argparse.Namespace) -> int:
    from blustream_widget.hub_service.main import run_hub_service
    from blustream_widget.hub_service.settings import load_hub_settings

    run_hub_service(load_hub_settings(host=arguments.ip))
    return 0


if __name__ == "__main__":
    sys.exit(main())
