"""Hugging Face tokenizers as a peer of the bench: answers JSON lines. One thread, as ours."""
import json
import os
import sys

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers  # noqa: E402
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402

state = {}


def train(texts, vocabulary):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def answer(request):
    kind = request["kind"]
    if kind == "hello":
        return {"name": f"Hugging Face tokenizers {tokenizers.__version__} (Rust), 1 thread"}
    if kind == "texts":
        state["texts"] = request["texts"]
        return {"count": len(state["texts"])}
    if kind == "train":
        state["tokenizer"] = train(state["texts"], request["vocabulary"])
        return {"size": state["tokenizer"].get_vocab_size()}
    if kind == "load":
        state["tokenizer"] = Tokenizer.from_str(request["json"])
        return {"size": state["tokenizer"].get_vocab_size()}
    if kind == "encode":
        return {"tokens": sum(len(state["tokenizer"].encode(text).ids) for text in state["texts"])}
    raise ValueError(kind)


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
