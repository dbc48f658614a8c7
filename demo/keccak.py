# SPDX-License-Identifier: Apache-2.0
"""Keccak-256, written apart from the C code so that the demo's oracle shares nothing with it."""

LANE_MASK = (1 << 64) - 1
RATE_BYTES = 136
# The rotation of lane (x, y) is at x + 5 * y.
ROTATIONS = (0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61,
             56, 14)


def round_constants():
    """The 24 constants, from the LFSR of FIPS 202, section 3.2.5."""
    register = 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            if register & 1:
                constant ^= 1 << ((1 << power) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        yield constant


CONSTANTS = tuple(round_constants())


def rotate(lane, count):
    return ((lane << count) | (lane >> (64 - count))) & LANE_MASK


def permute(lanes):
    for constant in CONSTANTS:
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
                   for x in range(5)]
        parity = [columns[x - 1] ^ rotate(columns[(x + 1) % 5], 1) for x in range(5)]
        moved = [0] * 25
        for i in range(25):
            x, y = i % 5, i // 5
            moved[y + 5 * ((2 * x + 3 * y) % 5)] = rotate(lanes[i] ^ parity[x], ROTATIONS[i])
        lanes = [moved[i] ^ (~moved[i // 5 * 5 + (i + 1) % 5] & moved[i // 5 * 5 + (i + 2) % 5])
                 for i in range(25)]
        lanes[0] ^= constant
    return lanes


def keccak256(data):
    padding = RATE_BYTES - len(data) % RATE_BYTES
    padded = bytearray(data) + bytearray(padding)
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), RATE_BYTES):
        for i in range(RATE_BYTES // 8):
            offset = start + 8 * i
            lanes[i] ^= int.from_bytes(padded[offset:offset + 8], 'little')
        lanes = permute(lanes)
    return b''.join(lane.to_bytes(8, 'little') for lane in lanes[:4])
