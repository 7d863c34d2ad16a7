"""The program: `tomoshibi …` and `python -m app …`."""

import sys

from app.process_memory import keep_off_the_disk

GREEN = ("serve",)


def main() -> None:
    """Run one command; where it serves, gevent takes over sockets and threads before all else."""
    keep_off_the_disk()
    if _command(sys.argv[1:]) in GREEN:
        from gevent import monkey

        monkey.patch_all()
    from app.cli import run

    sys.exit(run())


def _command(arguments: list[str]) -> str:
    """The first word that is neither an option nor the value of --home."""
    words = iter(arguments)
    for word in words:
        if word == "--home":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


if __name__ == "__main__":
    main()
