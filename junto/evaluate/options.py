"""Options that are wrong are one sentence."""

import argparse
from typing import NoReturn

from junto.datadir import Refusal


class Parser(argparse.ArgumentParser):
    """As argparse has it, without its usage before the sentence. `room` = the word behind `bin/junto evaluate`."""

    def __init__(self, room: str, description: str) -> None:
        super().__init__(prog=f"bin/junto evaluate {room}", description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Refuse."""
        raise Refusal(f"{message}: {self.prog} --help lists the options.")
