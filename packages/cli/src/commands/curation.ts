// weft curate | weft audit | weft augment
import type { Command } from 'commander'
import { collect, integer, names } from '../option-values.ts'
import { runs } from '../session.ts'

const load = () => import('../runs/curation.ts')
const inputHelp = 'folder of .txt, .md, .jsonl, .ndjson (each also .gz), or a file'

const withReading = (command: Command): Command =>
  command
    .argument('<input>', inputHelp)
    .option('--split <unit>', 'cut long texts into documents at each paragraph or sentence end')
    .option('--target-characters <n>', 'length of such documents', integer(1), 1500)
    .option('--text-field <name>', 'the field of JSON lines that holds the text', 'text')

export const addCurationCommands = (program: Command): void => {
  withReading(program.command('curate'))
    .description('keep the documents worth learning from, with a recorded decision for each')
    .requiredOption('--out <folder>', 'gets kept.jsonl, decisions.jsonl, report.json, report.md and report.html')
    .option('--steps <list>', 'names from the list below, in this order, with commas between them', names)
    .option('--blocklist <file>', 'words for the step blocklist, one a line')
    .option('--seed <n>', 'for steps that draw', integer(), 0)
    .addHelpText('after', `
Steps:
  fix-unicode  gopher-quality  gopher-repetition  c4-quality  fineweb-quality  blocklist
  exact-deduplicate  min-hash-deduplicate  redact-personal-data
Default: fix-unicode,gopher-quality,gopher-repetition,exact-deduplicate,min-hash-deduplicate,redact-personal-data

Examples:
  weft curate texts/ --out corpus/
  weft curate page.jsonl.gz --steps c4-quality,exact-deduplicate --out corpus/`)
    .action(runs(async () => (await load()).curateCorpus))

  withReading(program.command('audit'))
    .description('whom a corpus speaks of, and in whose company: mentions and associations by group')
    .option('--out <folder>', 'gets report.json, report.md and report.html')
    .option('--by <field>', 'also count for each value of this field, such as year')
    .option('--window <n>', 'how many words apart count as together', integer(1), 10)
    .addHelpText('after', '\nExamples:\n  weft audit corpus/ --out audit/\n  weft audit speeches.jsonl --by year --json')
    .action(runs(async () => (await load()).audit))

  withReading(program.command('augment'))
    .description('counterfactual copies: documents with gendered words, with the genders swapped')
    .requiredOption('--out <file>', 'JSON lines to write')
    .option('--mode <mode>', 'both keeps the original beside the copy, replace does not', 'both')
    .option('--name-pair <a=b>', 'first names to swap; may repeat', collect)
    .addHelpText('after', '\nExample:\n  weft augment corpus/ --out balanced.jsonl')
    .action(runs(async () => (await load()).augment))
}
