"""Random blocks of every GGUF format and the values that the Python package gguf reads out of them, for packages/tensor.

pip install gguf==0.19.0; python tooling/golden/quantized_formats.py > packages/tensor/test/golden/quantized.json

Bytes and values (float32, little endian) are in base64. Scales are ordinary half-precision numbers, all other bytes are random.
"""
import base64
import json
from importlib.metadata import version

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize

SEED = 4
BLOCKS = {32: 6, 256: 2}
# Where in a block its half-precision numbers stand.
HALVES = {
    "q8_0": [0], "q4_0": [0], "q4_1": [0, 2], "q5_0": [0], "q5_1": [0, 2], "q2_k": [80, 82], "q3_k": [108],
    "q4_k": [0, 2], "q5_k": [0, 2], "q6_k": [208], "iq4_nl": [0], "iq4_xs": [0], "mxfp4": [],
}


def text(array):
    return base64.b64encode(array.tobytes()).decode()


def sample(name, halves, random):
    kind = Type[name.upper()]
    values, size = GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (BLOCKS[values], size), dtype=np.uint8)
    for at in halves:
        scales = (random.standard_normal(len(blocks)) * 0.02).astype(np.float16)
        blocks[:, at : at + 2] = scales.view(np.uint8).reshape(-1, 2)
    if name == "mxfp4":
        blocks[:, 0] = [0, 1, 2, 120, 127, 250]
    return {"bytes": text(blocks), "values": text(dequantize(blocks, kind).astype("<f4"))}


random = np.random.default_rng(SEED)
formats = {name: sample(name, halves, random) for name, halves in HALVES.items()}
print(json.dumps({"origin": f"gguf {version('gguf')}, numpy {np.__version__}, seed {SEED}", "formats": formats}))
