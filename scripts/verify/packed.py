"""Packed sparse vectors (version 2), read bit by bit from the description of the format, and what they have to hold."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch

from verify.report import require

Tensors = dict[str, torch.Tensor]
FORMATS = ("Q4", "Q3", "Q2", "Q1")
FLOATS = (torch.float32, torch.float16, torch.bfloat16)
PARTS = ("peru.codebook", "peru.directory", "peru.blocks")
BLOCK = 2**18
GAINS = np.array([(16 + byte % 16) * 2.0 ** (byte // 16 - 10) for byte in range(256)])
# Sums of squares in float32 are about 1e-6 exact: how far off they may be as a share of a gain.
SUMS = 2.0**-18
# Magnitudes are counted in bins that are as wide as this share of them, and rounds end before nothing moves at all.
BIN = 2.0**-8
EXCESS = 0.01
LONGEST = 2.0
GRID = 32


@dataclass
class PackedVector:
    codebook: np.ndarray
    # By tensor that keeps any: the byte of its gain.
    gains: dict[str, int]
    # By the same, ascending positions, and of each entry whether it is negative and its level in the codebook.
    positions: dict[str, np.ndarray]
    negative: dict[str, np.ndarray]
    levels: dict[str, np.ndarray]

    def values(self, name: str) -> np.ndarray:
        """What is added: magnitude times gain, rounded to float32 once."""
        magnitudes = (self.codebook.astype(np.float64) * GAINS[self.gains[name]]).astype(np.float32)
        own = magnitudes[self.levels[name]]
        return np.where(self.negative[name], -own, own)


class Reader:
    def __init__(self, data: bytes, what: str) -> None:
        self.data, self.what, self.at = data, what, 0

    def take(self, count: int, name: str) -> bytes:
        taken = self.data[self.at : self.at + count]
        require(len(taken) == count, f"{self.what} ends before {name}")
        self.at += count
        return taken

    def varint(self, name: str) -> int:
        value = shift = 0
        while True:
            (byte,) = self.take(1, name)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def end(self) -> None:
        require(self.at == len(self.data), f"{self.what} goes on for {len(self.data) - self.at} bytes")


def read_packed(stored: Tensors, bits: int, merged: Tensors) -> PackedVector:
    """`merged` are all tensors of the merged model's files, which the directory goes over in order of names."""
    codebook = stored["peru.codebook"]
    require(codebook.dtype == torch.float32 and codebook.shape == (2 ** (bits - 1),), "the codebook has another shape")
    vector = PackedVector(codebook.numpy(), {}, {}, {}, {})
    told = stored["peru.directory"].numpy().tobytes()
    sealed = zlib.crc32(stored["peru.codebook"].numpy().tobytes() + told[:-2]) & 0xFFFF
    require(sealed == int.from_bytes(told[-2:], "little"), "codebook and directory have another checksum")
    directory, blocks = Reader(told[:-2], PARTS[1]), Reader(stored["peru.blocks"].numpy().tobytes(), PARTS[2])
    for name in sorted(merged, key=lambda name: name.encode()):
        if merged[name].dtype in FLOATS:
            read_tensor(vector, directory, blocks, name, merged[name].numel(), bits)
    directory.end()
    blocks.end()
    return vector


def read_tensor(vector: PackedVector, directory: Reader, blocks: Reader, name: str, size: int, bits: int) -> None:
    found: list[tuple[int, int]] = []
    gains = set()
    for start in range(0, size, BLOCK):
        kept = directory.varint(name)
        if kept == 0:
            continue
        low, gain = directory.take(2, name)
        unary = directory.varint(name)
        checksum = int.from_bytes(directory.take(2, name), "little")
        block = blocks.take(unary + -(-kept * (low + bits) // 8), name)
        subject = f"block {start // BLOCK + 1} of {name}"
        require(zlib.crc32(block) & 0xFFFF == checksum, f"{subject} has another checksum")
        own = read_block(block, kept, low, unary, bits, subject)
        require(own[-1][0] < min(BLOCK, size - start), f"{subject} leads past its end")
        found += [(start + position, code) for position, code in own]
        gains.add(gain)
    if not found:
        return
    require(len(gains) == 1, f"blocks of {name} have gains of their own")
    positions, codes = np.array(found).T
    vector.gains[name] = gains.pop()
    vector.positions[name] = positions
    vector.negative[name] = codes >= 2 ** (bits - 1)
    vector.levels[name] = codes % 2 ** (bits - 1)


def read_block(block: bytes, kept: int, low: int, unary: int, bits: int, subject: str) -> list[tuple[int, int]]:
    """Position from the block's start, and code, of each entry."""
    runs = bit_text(block[:unary]).split("1")
    require(len(runs) == kept + 1, f"{subject} has {len(runs) - 1} quotients for {kept} entries")
    require(len(runs[-1]) < 8, f"{subject} has quotients in too many bytes")
    fields = bit_text(block[unary:])
    width = low + bits
    require("1" not in fields[kept * width :], f"{subject} has bits behind its last entry")
    entries = []
    position = -1
    for at, run in enumerate(runs[:-1]):
        field = int(fields[at * width : (at + 1) * width], 2)
        position += (len(run) << low) + (field >> bits) + 1
        entries.append((position, field & (2**bits - 1)))
    gaps = np.diff([-1, *(place for place, _ in entries)]) - 1
    require(low == best_low_bits(gaps), f"{subject} would take less with another k than {low}")
    return entries


def bit_text(data: bytes) -> str:
    """Highest bit of the first byte first."""
    return "".join(f"{byte:08b}" for byte in data)


def best_low_bits(gaps: np.ndarray) -> int:
    return int(np.argmin([int((gaps >> low).sum()) + gaps.size * (1 + low) for low in range(19)]))


def laid_out(vector: PackedVector, names: list[str], sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Kept mask of the flat space, and values in its order."""
    unknown = set(vector.positions) - set(names)
    require(not unknown, f"keeps entries of what is not merged: {sorted(unknown)[:3]}")
    mask = np.zeros(sum(sizes), bool)
    values = [np.zeros(0, np.float32)]
    start = 0
    for name, size in zip(names, sizes, strict=True):
        if name in vector.positions:
            mask[start + vector.positions[name]] = True
            values.append(vector.values(name))
        start += size
    return mask, np.concatenate(values)


def verify_codes(vector: PackedVector, offset: np.ndarray, names: list[str], sizes: list[int], rescaled: bool) -> str:
    """
    Signs, levels and gains against u = theta_t - theta*; `offset` is u of the flat space. Positions are right already.
    """
    book = vector.codebook.astype(np.float64)
    require(bool((book > 0).all() or not vector.gains), "the codebook holds what is no magnitude")
    require(bool((np.diff(book) >= 0).all()), "the codebook does not rise")
    kept, levels = [np.zeros(0)], [np.zeros(0, np.int64)]
    for name, u in zip(names, np.split(offset, np.cumsum(sizes)[:-1]), strict=True):
        if name not in vector.gains:
            continue
        own = u[vector.positions[name]].astype(np.float64)
        require(bool(((own < 0) == vector.negative[name]).all()), f"values of {name} have other signs than u")
        require(is_nearest(np.abs(own), vector.levels[name], book), f"values of {name} are not the nearest magnitudes")
        verify_gain(name, u.astype(np.float64), own, book[vector.levels[name]], vector.gains[name], rescaled)
        kept.append(np.abs(own))
        levels.append(vector.levels[name])
    excess = verify_codebook(book, np.concatenate(kept), np.concatenate(levels))
    gains = GAINS[sorted(set(vector.gains.values()))]
    span = f"gains {gains[0]:g} to {gains[-1]:g}" if gains.size else "no gains"
    return f"{book.size} magnitudes, {100 * excess:.2f} % over the least squared error near them; {span}"


def is_nearest(magnitudes: np.ndarray, levels: np.ndarray, book: np.ndarray) -> bool:
    """Either of two where float32 can not tell which is nearer."""
    bounds = (book[:-1] + book[1:]) / 2
    least, most = (np.searchsorted(bounds * (1 + error), magnitudes, "right") for error in (2.0**-23, -(2.0**-23)))
    return bool(((least <= levels) & (levels <= most)).all())


def verify_gain(name: str, u: np.ndarray, kept: np.ndarray, rounded: np.ndarray, byte: int, rescaled: bool) -> None:
    """The gain nearest to what makes the rounded values as long as they were, or as all of u (`rescaled`)."""
    energy = float(np.sum(kept**2))
    lengthening = np.sqrt(energy / np.sum(rounded**2))
    wanted = [norm * lengthening for norm in norms(float(np.sum(u**2)), energy)] if rescaled else [lengthening]
    distances = [(abs(GAINS[byte] - gain), np.abs(GAINS - gain).min() + SUMS * gain) for gain in wanted]
    said = " or ".join(f"{gain:.4f}" for gain in wanted)
    require(any(found <= allowed for found, allowed in distances), f"{name} has gain {GAINS[byte]:g}, not {said}")


def norms(total: float, kept: float) -> set[float]:
    """Norm of u over that of what is kept, to a 32nd and at most 2; two where float32 may round either way."""
    if kept < 2.0**-100 or total >= 2.0**127:
        return {1.0}
    exact = GRID * np.sqrt(total / kept)
    return {min(LONGEST, float(np.floor(exact * share + 0.5)) / GRID) for share in (1 - SUMS, 1 + SUMS)}


def verify_codebook(book: np.ndarray, magnitudes: np.ndarray, levels: np.ndarray) -> float:
    """
    Each magnitude is the mean of those it stands for (Lloyd, Max): what moving it there would take off the squared
    error, as a share of it.
    """
    error = float(np.sum((magnitudes - book[levels]) ** 2))
    excess = 0.0
    for level in np.unique(levels):
        own = magnitudes[levels == level]
        excess += own.size * float(own.mean() - book[level]) ** 2
    share = excess / error if error > 0 else 0.0
    allowed = EXCESS * error + BIN**2 * float(np.sum(magnitudes**2))
    require(excess <= allowed, f"other magnitudes would take {100 * share:.1f} % off the squared error")
    return share
