// weft train | weft tune
import type { Command } from 'commander'
import { integer, names, real } from '../option-values.ts'
import { presetNames } from '../presets.ts'
import { runs } from '../session.ts'

// No defaults here: a resumed run takes its settings from the run, and an option that differs must be seen.
const withLoopOptions = (command: Command): Command =>
  command
    .option('--steps <n>', 'updates in all', integer(1))
    .option('--batch-size <n>', 'rows a batch', integer(1))
    .option('--accumulate <n>', 'batches a step', integer(1))
    .option('--learning-rate <x>', 'the highest, after the warm-up', real(0))
    .option('--warmup-steps <n>', 'default: a twentieth of the steps', integer(0))
    .option('--weight-decay <x>', 'of matrices', real(0))
    .option('--save-every <n>', 'steps between checkpoints; default a tenth of the steps', integer(1))
    .option('--validate-every <n>', 'steps between validations; default a tenth of the steps', integer(1))
    .option('--validation-fraction <x>', 'share of the data that is held out', real(0, 0.5))
    .option('--seed <n>', 'the same seed gives the same model', integer())
    .option('--resume', 'go on from the last checkpoint in --out, with the settings of that run')
    .option('--backend <name>', 'native, tfjs-wasm, tfjs-cpu or reference; default: the first that works')

export const addTrainingCommands = (program: Command): void => {
  withLoopOptions(program.command('train'))
    .description('train a language model on text, from random weights')
    .requiredOption('--out <folder>', 'gets the model, its tokenizer, checkpoints and report.html')
    .option('--text <path>', 'folder or file, as for `weft curate`')
    .option('--tokenizer <file>', 'tokenizer.json, or a folder that holds one')
    .option('--vocab-size <n>', 'train a tokenizer of this size on the text instead', integer(257, 2 ** 24))
    .option('--preset <name>', `size of the model: ${presetNames.join(', ')}`)
    .option('--family <name>', 'gpt2 or llama')
    .option('--context-length <n>', 'tokens that the model sees at once', integer(2))
    .addHelpText('after', `
Defaults: --preset tiny --family llama --steps 1000 --batch-size 8 --learning-rate 0.002 --validation-fraction 0.05 --seed 0

Ctrl-C writes a checkpoint; --resume goes on from it and reaches the same weights to the last bit.

Examples:
  weft train --text corpus/ --vocab-size 2048 --preset tiny --steps 500 --out model/
  weft train --resume --out model/`)
    .action(runs(async () => (await import('../runs/train.ts')).trainModel))

  withLoopOptions(program.command('tune'))
    .description('teach a model to answer: supervised tuning on conversations, all weights or a LoRA adapter')
    .requiredOption('--out <folder>', 'gets the adapter (lora) or the model (full), checkpoints and report.html')
    .option('--model <path>', 'the model to start from')
    .option('--data <file>', 'JSON lines of {"messages": [{"role", "content"}, …]} or {"prompt", "completion"}')
    .option('--method <name>', 'lora or full')
    .option('--tokenizer <file>', 'default: the one beside the weights')
    .option('--chat-template <file>', 'default: the model\'s own, else ChatML')
    .option('--rank <n>', 'of the adapter', integer(1))
    .option('--alpha <x>', 'of the adapter; default twice its rank', real(0))
    .option('--target-modules <list>', 'layers to adapt; default all linear ones', names)
    .option('--merge', 'also write the model with the adapter merged, into merged/')
    .option('--max-length <n>', 'tokens of a conversation; default the context', integer(2))
    .addHelpText('after', `
Defaults: --method lora --rank 8 --steps 200 --batch-size 4 --learning-rate 0.002 (full: 0.0003) --validation-fraction 0 --seed 0

Examples:
  weft tune --model model/ --data conversations.jsonl --out assistant/
  weft model chat --model assistant/`)
    .action(runs(async () => (await import('../runs/tune.ts')).tuneModel))
}
