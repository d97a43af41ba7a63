// The whole tree of commands, and the options that all of them take.
import type { Command } from 'commander'
import { addBackendCommands } from './commands/backend.ts'
import { addCurationCommands } from './commands/curation.ts'
import { addEvaluationCommands } from './commands/evaluation.ts'
import { addModelCommands } from './commands/model.ts'
import { addTokenizerCommands } from './commands/tokenizer.ts'
import { addTrainingCommands } from './commands/training.ts'
import { version } from './version.ts'
import { WeftCommand } from './weft-command.ts'

const examples = `
Examples, from text to a chat:
  weft curate texts/ --out corpus/
  weft train --text corpus/ --vocab-size 2048 --preset tiny --steps 500 --out model/
  weft model generate --model model/ --prompt "Once upon a time"
  weft tune --model model/ --data conversations.jsonl --out assistant/
  weft model chat --model assistant/
  weft evaluate --model model/ --text held-out/

Exit codes: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C.`

export const createProgram = (): Command => {
  const program = new WeftCommand('weft')
    // Before any .command(): children copy it.
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .description('Language models from a shell: from raw text to a model that is trained, tuned, measured and talked to.')
    .version(version, '-V, --version', 'print the version')
    .option('--json', 'print JSON for machines, and no progress')
    .option('--verbose', 'say more on standard error')
    .option('--debug', 'print the stack of an error')
    .showSuggestionAfterError()
    .addHelpText('after', examples)
  for (const add of [addTokenizerCommands, addModelCommands, addCurationCommands, addTrainingCommands, addEvaluationCommands, addBackendCommands]) add(program)
  return program
}
