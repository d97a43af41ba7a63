// weft evaluate [run]|list|show | weft compare
import type { Command } from 'commander'
import { integer, names } from '../option-values.ts'
import { runs } from '../session.ts'
import { withModelOptions } from './model.ts'

const load = () => import('../runs/evaluation.ts')

export const addEvaluationCommands = (program: Command): void => {
  const group = program.command('evaluate').description('measure a model (`weft evaluate --model …`), list the tasks there are, show one')

  withModelOptions(group.command('run', { isDefault: true }))
    .description('measure a model; `run` may be left out')
    .option('--tasks <list>', 'names from `weft evaluate list`, or files with a task in JSON; default: perplexity with --text, else stereotypes', names)
    .option('--text <path>', 'held-out text for perplexity: a folder or a file')
    .option('--limit <n>', 'at most so many items a task', integer(1))
    .option('--few-shot <n>', 'solved examples before each question', integer(0))
    .option('--seed <n>', 'for drawing examples and intervals', integer(), 0)
    .option('--out <folder>', 'gets report.json, report.md and report.html')
    .addHelpText('after', '\nExamples:\n  weft evaluate --model model/ --text held-out/ --out scores/\n  weft evaluate --model model/ --tasks stereotypes,generation,my-task.json --limit 50')
    .action(runs(async () => (await load()).run))

  group
    .command('list')
    .description('the built-in tasks')
    .addHelpText('after', '\nExample:\n  weft evaluate list')
    .action(runs(async () => (await load()).list))

  group
    .command('show')
    .description('a task with its first items, or a report.json')
    .argument('<name>', 'a built-in task, or a file')
    .option('--items <n>', 'how many items', integer(0), 3)
    .addHelpText('after', '\nExample:\n  weft evaluate show stereotypes --items 5')
    .action(runs(async () => (await load()).show))

  program
    .command('compare')
    .description('two evaluations, item by item: is the difference more than chance?')
    .argument('<a>', 'report.json, or the folder that holds it')
    .argument('<b>', 'the same of the other model')
    .option('--out <folder>', 'gets report.json, report.md and report.html')
    .option('--seed <n>', 'of the bootstrap', integer(), 0)
    .addHelpText('after', '\nExample:\n  weft compare before/ after/')
    .action(runs(async () => (await load()).compareReports))
}
