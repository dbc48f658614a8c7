#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a source file with one planted bug.

usage: apply.py MUTANT SOURCE OUTPUT

A mutant is a text file: "file: PATH", "why: ..." (one or more lines), then one or more pairs of
"--- old" and "--- new" blocks, ended by "---". Each old text must stand in the source exactly once.
"""
import pathlib
import re
import sys

BLOCK = re.compile(r'^--- old\n(.*?)^--- new\n(.*?)(?=^---)', re.MULTILINE | re.DOTALL)


def source_of(text):
    return re.search(r'^file: (\S+)$', text, re.MULTILINE).group(1)


def why_of(text):
    head = text.split('\n--- old\n', 1)[0]
    return ' '.join(head.split('why:', 1)[1].split())


def apply(mutant, source):
    blocks = BLOCK.findall(mutant)
    if not blocks:
        raise ValueError('no replacement')
    for old, new in blocks:
        old, new = old[:-1], new[:-1]  # without the newline before the next mark
        if source.count(old) != 1:
            raise ValueError(f'its text stands {source.count(old)} times in the source:\n{old}')
        source = source.replace(old, new)
    return source


def main():
    mutant, source, output = map(pathlib.Path, sys.argv[1:])
    try:
        text = apply(mutant.read_text(encoding='utf-8'), source.read_text(encoding='utf-8'))
    except ValueError as error:
        sys.exit(f'{mutant.name}: {error}')
    output.write_text(text, encoding='utf-8')


if __name__ == '__main__':
    main()
