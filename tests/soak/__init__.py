"""A soak: processes that read for minutes while the platform, Redis and the processes themselves fail in every way.

`python -m tests.soak` starts a platform that fails at everything (`platform`, `weather`), a real Redis, and three
processes of sixteen threads (`reader`). `conductor` makes the weather, and `verdict` says what came of it. They share a
`board` of numbers: what is in force, which edition of each prompt is in production, and how old an answer may be.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the rooms of `faults`, as in pytest.ini's pythonpath
