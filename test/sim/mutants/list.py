#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints each mutant and the source it changes."""
import pathlib

import apply

for path in sorted(pathlib.Path(__file__).parent.glob('*.mutant')):
    print(path.stem, apply.source_of(path.read_text(encoding='utf-8')))
