// weft tokenizer train|encode|decode|info|compare
import { Option, type Command } from 'commander'
import { collect, integer, names, real } from '../option-values.ts'
import { runs } from '../session.ts'

const load = () => import('../runs/tokenizer.ts')
const tokenizerOption = ['--tokenizer <file>', 'tokenizer.json, tokenizer.model, tekken.json, vocab.json, vocab.txt, tok.bin, a GGUF file, or a folder with one of these'] as const

export const addTokenizerCommands = (program: Command): void => {
  const group = program.command('tokenizer').description('train a tokenizer, and turn text into token ids and back')

  group
    .command('train')
    .description('learn a vocabulary from text files, JSON lines or folders of them')
    .argument('<input...>', 'files or folders')
    .requiredOption('--out <file>', 'what to write: .json (tokenizer.json), .model (SentencePiece) or .tiktoken (ranks)')
    .requiredOption('--vocab-size <n>', 'tokens in all: special ones, bytes or characters, what is learned', integer(2, 2 ** 22))
    .addOption(new Option('--algorithm <name>', 'how it is learned').choices(['bpe', 'wordpiece', 'unigram']).default('bpe'))
    .addOption(new Option('--alphabet <name>', 'what bpe begins with').choices(['bytes', 'characters']).default('bytes'))
    .option('--pattern <name>', 'byte-level bpe: how text is cut before merging: gpt2, cl100k or o200k', 'gpt2')
    .option('--special-tokens <list>', 'with commas between them (default: <|endoftext|>,<|im_start|>,<|im_end|> for bytes, those of the kind for others)', names)
    .option('--min-frequency <n>', 'merge pairs that occur at least so often', real(0), 1)
    .addHelpText('after', '\nExamples:\n  weft tokenizer train --vocab-size 4096 --out tokenizer.json texts/\n  weft tokenizer train --algorithm unigram --vocab-size 8000 --out tokenizer.json texts/\n  weft tokenizer train --alphabet characters --vocab-size 8000 --out tokenizer.model texts/')
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
    .option('--parallel <file>', 'JSON lines of { language, text, english }: what languages cost; a file named after its language may leave that out; may repeat', collect)
    .option('--report <folder>', 'write report.json, report.md and report.html: by source, unused tokens, tokens that no text gives, fairness')
    .addHelpText('after', '\nExamples:\n  weft tokenizer info --tokenizer tokenizer.json --text texts/\n  weft tokenizer info --tokenizer model.gguf --text texts/ --parallel deu-eng.jsonl --report report/')
    .action(runs(async () => (await load()).info))

  group
    .command('compare')
    .description('the same text by two or more tokenizers: lengths, ids, boundaries in colour')
    .argument('<tokenizer...>', 'tokenizer files or folders')
    .option('--text <text>', 'instead of standard input')
    .option('--color', 'colours also where the output is no terminal')
    .option('--no-color', 'a line between tokens instead')
    .addHelpText('after', '\nExample:\n  weft tokenizer compare gpt2/ llama/tokenizer.model --text "Tokenization differs."')
    .action(runs(async () => (await import('../runs/compare-tokenizers.ts')).compare))
}
