# Every code point through the components of Hugging Face tokenizers (pip install tokenizers): which ones each takes for white space, accents,
# punctuation, letters …, written as JSON ranges. What text/unicode-differences.ts was made from, against what a JavaScript engine says.
# python3 tooling/golden/unicode-tables.py > tables.json
import json

from tokenizers import Regex, normalizers, pre_tokenizers

POINTS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]


def ranges(holds):
    found = []
    for point in POINTS:
        if not holds(chr(point)):
            continue
        if found and found[-1][1] == point - 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return found


def splits(step, before):
    return lambda character: len(step.pre_tokenize_str(before + character)) != 1


def bert(**options):
    defaults = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**defaults, **options})


def changed(normalizer):
    return [[point, normalizer.normalize_str(chr(point))] for point in POINTS if normalizer.normalize_str(chr(point)) != chr(point)]


clean = bert(clean_text=True)
strip = bert(strip_accents=True)
accents = normalizers.StripAccents()
tables = {
    "bertRemoved": ranges(lambda c: clean.normalize_str("a" + c) == "a"),
    "bertStripped": ranges(lambda c: strip.normalize_str("a" + c) == "a"),
    "stripAccents": ranges(lambda c: accents.normalize_str("a" + c) == "a"),
    "punctuation": ranges(splits(pre_tokenizers.Punctuation("isolated"), "a")),
    "digits": ranges(splits(pre_tokenizers.Digits(True), "a")),
    "lowercase": changed(normalizers.Lowercase()),
}
for name in ["NFC", "NFD", "NFKC", "NFKD"]:
    tables[name] = changed(getattr(normalizers, name)())
for name in ["L", "N", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "P", "S", "Nd", "Z", "C", "Cc", "Cf", "Han", "Arabic", "Latin"]:
    mark = "a" if name in ("C", "Cc") else "\x01" if name not in ("L", "Ll", "Latin") else "1"
    tables["property " + name] = ranges(splits(pre_tokenizers.Split(Regex("\\p{%s}" % name), "isolated"), mark))
for name in ["s", "w", "d", "h"]:
    tables["escape " + name] = ranges(splits(pre_tokenizers.Split(Regex("\\" + name), "isolated"), "\x01"))
print(json.dumps(tables))
