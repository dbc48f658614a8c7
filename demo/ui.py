# SPDX-License-Identifier: Apache-2.0
"""What the person at the terminal sees: steps, a progress bar or plain lines, tables."""
import os
import sys
import time

BAR_WIDTH = 30
PLAIN_INTERVAL_S = 2


def is_fancy(stream=sys.stdout):
    return stream.isatty() and 'NO_COLOR' not in os.environ and os.environ.get('TERM') != 'dumb'


def say(text):
    print(text, flush=True)


def short(text, width):
    """The ends of a long text, with the middle left out."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return text[:width - 1 - tail] + '…' + text[-tail:]


def aligned(amounts, decimals, shown_min=2):
    """Whole numbers of base units as exact texts, all with as many decimals as one of them needs.
    """
    texts = [f'{units // 10 ** decimals}.{units % 10 ** decimals:0{decimals}d}'
             for units in amounts]
    needed = max((len(text.rstrip('0').partition('.')[2]) for text in texts), default=0)
    dropped = decimals - max(needed, shown_min)
    return [text[:-dropped] if dropped else text for text in texts]


def bar(done, total, width=BAR_WIDTH):
    full = width * done // total if total else width
    return '#' * full + '.' * (width - full)


class Progress:
    """A bar that redraws itself on a terminal; elsewhere a line now and then."""

    def __init__(self, stream=sys.stdout, now=time.monotonic, awaited=''):
        """`awaited` is said when everything is mined and not all of it is final."""
        self.stream, self.now, self.awaited = stream, now, awaited
        self.start = now()
        self.fancy = is_fancy(stream)
        self.terminal = stream.isatty()
        self.shown = None
        self.shown_at = self.start

    def text(self, counts, total):
        picture = f'[{bar(counts["final"], total)}] ' if self.terminal else ''
        waits = self.awaited and counts['final'] < counts['mined'] == total
        return (f'{picture}payouts {counts["final"]}/{total} final, {counts["mined"]} mined, '
                f'{counts["sent"]} sent, {counts["accepted"]} accepted, '
                f'{self.now() - self.start:.0f} s' + (f', {self.awaited}' if waits else ''))

    def show(self, counts, total):
        if self.terminal:
            text = self.text(counts, total)
            self.stream.write('\r' + (f'\033[36m{text}\033[0m\033[K' if self.fancy
                                      else text.ljust(100)))
            self.stream.flush()
        elif counts != self.shown and self.now() - self.shown_at >= PLAIN_INTERVAL_S:
            self.shown, self.shown_at = dict(counts), self.now()
            print(self.text(counts, total), file=self.stream, flush=True)

    def note(self, text):
        """A line of its own, above the bar."""
        print(f'\r\033[K{text}' if self.fancy else text, file=self.stream, flush=True)

    def finish(self, counts, total):
        if self.terminal:
            self.show(counts, total)
            self.stream.write('\n')
        else:
            print(self.text(counts, total), file=self.stream)
        self.stream.flush()


def table(head, rows):
    """Lines of a table; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    numeric = [bool(rows) and all(isinstance(row[i], int) or is_number(str(row[i])) for row in rows)
               for i in range(len(head))]
    for row in cells:
        yield '  '.join(cell.rjust(width) if right else cell.ljust(width)
                        for cell, width, right in zip(row, widths, numeric)).rstrip()


def is_number(text):
    return text.replace('.', '', 1).isdigit()
