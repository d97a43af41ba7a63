"""Writes the reference fixtures of @weft/weights into ./fixtures: files and verdicts of the safetensors library, casts of NumPy and
ml_dtypes. Versions used: Python 3.11.7, numpy 2.4.6, ml_dtypes 0.6.0, safetensors 0.8.0. The same bytes on every run.

    pip install numpy==2.4.6 ml_dtypes==0.6.0 safetensors==0.8.0 && python make-fixtures.py
"""

import base64
import hashlib
import json
import pathlib
import struct

import ml_dtypes
import numpy as np
import safetensors
from safetensors.numpy import save

out = pathlib.Path(__file__).parent / "fixtures"
rng = np.random.default_rng(20251125)


def f32_bits(values):
    """f32 values as bit patterns, every NaN as 0x7fc00000."""
    f32 = np.asarray(values).astype(np.float32)
    return np.where(np.isnan(f32), np.uint32(0x7FC00000), f32.view(np.uint32)).astype("<u4")


def casts():
    result = {"allCodes": {}, "values": {}}
    small = {
        "F16": (np.uint16, np.float16),
        "BF16": (np.uint16, ml_dtypes.bfloat16),
        "F8_E4M3": (np.uint8, ml_dtypes.float8_e4m3fn),
        "F8_E5M2": (np.uint8, ml_dtypes.float8_e5m2),
        "F8_E4M3FNUZ": (np.uint8, ml_dtypes.float8_e4m3fnuz),
        "F8_E5M2FNUZ": (np.uint8, ml_dtypes.float8_e5m2fnuz),
        "F8_E8M0": (np.uint8, ml_dtypes.float8_e8m0fnu),
        "I8": (np.uint8, np.int8),
        "U8": (np.uint8, np.uint8),
        "I16": (np.uint16, np.int16),
        "U16": (np.uint16, np.uint16),
    }
    for name, (code, kind) in small.items():
        codes = np.arange(np.iinfo(code).max + 1, dtype=code)
        with np.errstate(all="ignore"):
            result["allCodes"][name] = hashlib.sha256(f32_bits(codes.view(kind)).tobytes()).hexdigest()
    ties = [2**24 + 1, 2**24 + 3, 2**53 + 1, 2**54 - 1, 2**62 + 2**38, 2**62 + 2**38 + 1, 2**62 + 2**38 - 1, 2**63 - 1, 0, 1]
    large = {
        "I64": np.array([s * v for v in ties for s in (1, -1)] + [-(2**63)], dtype=np.int64),
        "U64": np.array(ties + [2**64 - 1, 2**63 + 2**39, 2**63 + 2**39 + 1, 2**63 + 3 * 2**39], dtype=np.uint64),
        "I32": np.array([v * s for v in (2**24 + 1, 2**24 + 3, 2**31 - 1, 0, 7) for s in (1, -1)] + [-(2**31)], dtype=np.int32),
        "U32": np.array([2**24 + 1, 2**24 + 3, 2**32 - 1, 0, 7], dtype=np.uint32),
        "F64": np.concatenate([np.array([0.1, -0.0, np.inf, -np.inf, np.nan, 1e39, 1e-46, 1e-45, 1 + 2.0**-24, 1 + 3 * 2.0**-24]), rng.standard_normal(20)]),
    }
    with np.errstate(all="ignore"):
        for name, values in large.items():
            result["values"][name] = {"bytes": values.tobytes().hex(), "f32": f32_bits(values).tobytes().hex()}
    return result


def header(entries, data, *, length=None, pad=b""):
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    text += pad
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype, shape, start, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def verdicts():
    one = {"a": entry("F32", [2], 0, 8)}
    eight = bytes(8)
    cases = {
        "valid": header(one, eight),
        "padded": header(one, eight, pad=b"   "),
        "metadata": header({"__metadata__": {"k": "v"}, **one}, eight),
        "metadata null": header({"__metadata__": None, **one}, eight),
        "metadata not a string": header({"__metadata__": {"k": 1}, **one}, eight),
        "metadata not an object": header({"__metadata__": [], **one}, eight),
        "no tensors": header({}, b""),
        "no tensors but data": header({}, b"x"),
        "empty file": b"",
        "seven bytes": bytes(7),
        "header beyond the file": header(one, eight, length=1000),
        "header beyond the limit": header(one, eight, length=100_000_001),
        "header of 2^63": header(one, eight, length=2**63),
        "header length 0": header(b"", b""),
        "header is a list": header(b"[]", b""),
        "header is cut": header(json.dumps(one).encode()[:-1], eight),
        "header is not UTF-8": header(b'{"\xff":' + json.dumps(one["a"]).encode() + b"}", eight),
        "header with text behind": header(json.dumps(one).encode() + b"x", eight),
        "data cut": header(one, bytes(7)),
        "data too long": header(one, bytes(9)),
        "end before start": header({"a": entry("F32", [2], 8, 0)}, eight),
        "size does not match shape": header({"a": entry("F32", [3], 0, 8)}, eight),
        "size does not match dtype": header({"a": entry("F16", [2], 0, 8)}, eight),
        "hole": header({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 8, 12)}, bytes(12)),
        "hole at the start": header({"a": entry("F32", [1], 4, 8)}, eight),
        "overlap": header({"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)}, bytes(12)),
        "the same bytes twice": header({"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 0, 8)}, eight),
        "out of order in the header": header({"b": entry("F32", [1], 4, 8), "a": entry("F32", [1], 0, 4)}, eight),
        "empty tensors": header({"a": entry("F32", [0, 3], 0, 0), "b": entry("F32", [2], 0, 8), "c": entry("F32", [0], 8, 8)}, eight),
        "no axes": header({"a": entry("F64", [], 0, 8)}, eight),
        "unknown dtype": header({"a": entry("F31", [2], 0, 8)}, eight),
        "dtype missing": header({"a": {"shape": [2], "data_offsets": [0, 8]}}, eight),
        "shape negative": header({"a": entry("F32", [-2], 0, 8)}, eight),
        "shape fractional": header({"a": entry("F32", [2.5], 0, 8)}, eight),
        "shape overflows": header({"a": entry("F32", [2**40, 2**40, 2], 0, 8)}, eight),
        "shape overflows before a zero": header({"a": entry("F32", [2**40, 2**40, 0], 0, 0)}, b""),
        "offsets of three": header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8, 8]}}, eight),
        "offset beyond 2^64": header({"a": entry("F32", [2], 0, 2**70)}, eight),
        "entry is null": header({"a": None}, b""),
        "F4 in whole bytes": header({"a": entry("F4", [4], 0, 2)}, bytes(2)),
        "F4 in half a byte": header({"a": entry("F4", [3], 0, 2)}, bytes(2)),
        "name with a brace and a quote": header({'{"}': entry("U8", [1], 0, 1)}, b"x"),
        "name __proto__": header({"__proto__": entry("U8", [1], 0, 1)}, b"x"),
    }
    for dtype, size in {"BOOL": 1, "F6_E2M3": 0.75, "F6_E3M2": 0.75, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1,
                        "F8_E4M3FNUZ": 1, "F8_E5M2FNUZ": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4,
                        "C64": 8, "F64": 8, "I64": 8, "U64": 8}.items():
        cases[f"dtype {dtype}"] = header({"a": entry(dtype, [4], 0, int(4 * size))}, bytes(int(4 * size)))
    result = []
    for name, data in cases.items():
        try:
            safetensors.deserialize(data)
            accepted = True
        except Exception as error:  # noqa: BLE001 (whatever the reference throws)
            accepted = False
        result.append({"name": name, "bytes": base64.b64encode(data).decode(), "accepted": accepted})
    return result


out.mkdir(exist_ok=True)
(out / "casts.json").write_text(json.dumps(casts(), indent=1) + "\n")
(out / "verdicts.json").write_text(json.dumps(verdicts(), indent=1) + "\n")
(out / "mixed.safetensors").write_bytes(
    save(
        {
            "b.weight": rng.standard_normal((3, 4)).astype(np.float32),
            "a.half": rng.standard_normal((5,)).astype(np.float16),
            "c.ids": rng.integers(-9, 9, (2, 2)),
            "d.flags": np.array([True, False, True]),
            "e.double": rng.standard_normal((2,)),
            "f.empty": np.zeros((0, 7), np.float32),
            "g.scalar": np.array(2.5, np.float32),
        },
        metadata={"format": "np", "note": "ä"},
    )
)
