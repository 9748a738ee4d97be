"""Templates that were compiled once, kept beside them as Python keeps its own: a process that starts finds them.

Compiling those of a page and of the statements costs half a second, of a night that takes five.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import jinja2
from jinja2.bccache import Bucket, FileSystemBytecodeCache

if TYPE_CHECKING:
    from pathlib import Path


class Compiled(FileSystemBytecodeCache):
    """Compiled templates in `__pycache__` of their folder. One is taken only while its text is the same.

    What is kept may depend on nothing but the text and Jinja's release, which is part of the file's name: an
    environment that uses this must not evaluate constants ahead (`optimized=False`), because filters are code of ours
    that changes, and speak the language of the moment. A folder that cannot be written costs the time, nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "__pycache__"
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
        super().__init__(str(self._folder), f"jinja-{jinja2.__version__}-%s.cache")

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)
