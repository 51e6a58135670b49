"""Start the server: `python -m blustream_widget.server [--detach] [--worker MODULE]`.

With `--heir N` it waits until the server at the other end of descriptor N is killed.
"""

from __future__ import annotations

import argparse
import os


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m blustream_widget.server")
    parser.add_argument("--detach", action="store_true", help="run in the background, on its own")
    parser.add_argument(
        "--worker", default="blustream_widget.worker", help="Python module of the worker process"
    )
    parser.add_argument("--heir", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    from blustream_widget.errors import ConfigError
    from blustream_widget.server.ice import load_settings

    try:
        config, ice_servers = load_settings()
    except ConfigError as exc:
        parser.error(str(exc))
    if arguments.detach:
        # Before anything is imported that has threads. The parent returns to the kernel at once,
        # and the server is nobody's child that would have to be waited for.
        if os.fork() > 0:
            os._exit(0)
        os.setsid()
        os.chdir("/")
    if arguments.heir is not None:
        from blustream_widget.server.succession import is_needed

        if not is_needed(arguments.heir):
            return
    from blustream_widget.server.main import run

    run(config, ice_servers=ice_servers, worker_module=arguments.worker)


if __name__ == "__main__":
    main()
