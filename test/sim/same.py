#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two runs of the same seeds must tell the same story: usage: same.py SIMULATOR"""
import json
import pathlib
import subprocess
import sys
import tempfile


def digest(simulator, workers):
    with tempfile.TemporaryDirectory() as directory:
        report = pathlib.Path(directory) / 'report.json'
        subprocess.run([simulator, '--seeds', '60', '--jobs', workers, '--quiet', '--json',
                        str(report)], check=True, stdout=subprocess.DEVNULL)
        return json.loads(report.read_text(encoding='utf-8'))['digest']


digests = {digest(sys.argv[1], workers) for workers in ('1', '1', '2')}
if len(digests) != 1:
    sys.exit(f'sim: runs of the same seeds differ: {", ".join(sorted(digests))}')
