"""The whole of a process that reads one prompt: `first.py ADAPTER URL NAME`."""

import sys

reader = __import__(sys.argv[1]).Reader(sys.argv[2], 3600, 1000)
if not reader.text(reader.read(sys.argv[3])).startswith(sys.argv[3]):
    sys.exit("that is another prompt")
