// weft backend list|check
import type { Command } from 'commander'
import { runs } from '../session.ts'

const load = () => import('../runs/backend.ts')

export const addBackendCommands = (program: Command): void => {
  const group = program.command('backend').description('what computes: which backends work here, and how right they are')

  group
    .command('list')
    .description('all backends, and whether they work on this machine')
    .addHelpText('after', '\nExample:\n  weft backend list')
    .action(runs(async () => (await load()).list))

  group
    .command('check')
    .description('run the conformance kit on a backend and print how it runs each operation')
    .option('--backend <name>', 'tfjs-wasm, tfjs-cpu or reference; default: the first that works')
    .option('--filter <text>', 'only cases whose name contains this')
    .addHelpText('after', '\nExample:\n  weft backend check --backend tfjs-wasm')
    .action(runs(async () => (await load()).check))
}
