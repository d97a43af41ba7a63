// weft tokenizer train|encode|decode|info
import type { Command } from 'commander'
import { collect, integer, names, real } from '../option-values.ts'
import { runs } from '../session.ts'

const load = () => import('../runs/tokenizer.ts')
const tokenizerOption = ['--tokenizer <file>', 'tokenizer.json, or a folder that holds one (or vocab.json and merges.txt)'] as const

export const addTokenizerCommands = (program: Command): void => {
  const group = program.command('tokenizer').description('train a tokenizer, and turn text into token ids and back')

  group
    .command('train')
    .description('learn a byte-level BPE vocabulary from text files, JSON lines or folders of them')
    .argument('<input...>', 'files or folders')
    .requiredOption('--out <file>', 'the tokenizer.json to write')
    .requiredOption('--vocab-size <n>', 'tokens in all: special ones, 256 bytes, merges', integer(257, 2 ** 24))
    .option('--pattern <name>', 'how text is cut before merging: gpt2, cl100k or o200k', 'gpt2')
    .option('--special-tokens <list>', 'with commas between them', names, ['<|endoftext|>', '<|im_start|>', '<|im_end|>'])
    .option('--min-frequency <n>', 'merge pairs that occur at least so often', real(0), 1)
    .addHelpText('after', '\nExample:\n  weft tokenizer train --vocab-size 4096 --out tokenizer.json texts/')
    .action(runs(async () => (await load()).train))

  group
    .command('encode')
    .description('token ids of standard input, or of --text')
    .requiredOption(...tokenizerOption)
    .option('--text <text>', 'instead of standard input')
    .option('--no-special', 'leave out the tokens that the tokenizer puts around a text')
    .option('--plain', 'read special tokens that are written out in the text as text')
    .addHelpText('after', '\nExamples:\n  weft tokenizer encode --tokenizer tokenizer.json < page.txt\n  weft tokenizer encode --tokenizer model/ --text "Hello" --json')
    .action(runs(async () => (await load()).encode))

  group
    .command('decode')
    .description('text of token ids, given as arguments or on standard input')
    .argument('[ids...]', 'token ids')
    .requiredOption(...tokenizerOption)
    .option('--no-special', 'leave special tokens out of the text')
    .addHelpText('after', '\nExample:\n  weft tokenizer decode --tokenizer tokenizer.json 72 105')
    .action(runs(async () => (await load()).decode))

  group
    .command('info')
    .description('what a tokenizer is, and how well it compresses')
    .requiredOption(...tokenizerOption)
    .option('--text <path>', 'measure bytes per token on this file or folder; may repeat', collect)
    .addHelpText('after', '\nExample:\n  weft tokenizer info --tokenizer tokenizer.json --text texts/')
    .action(runs(async () => (await load()).info))
}
