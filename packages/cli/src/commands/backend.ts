// weft backend list|check|build
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
    .option('--backend <name>', 'native, tfjs-wasm, tfjs-cpu or reference; default: the first that works')
    .option('--filter <text>', 'only cases whose name contains this')
    .addHelpText('after', '\nExample:\n  weft backend check --backend native')
    .action(runs(async () => (await load()).check))

  group
    .command('build')
    .description('compile the native backend, where it was not compiled when it was installed')
    .option('--force', 'compile again even where all is built')
    .addHelpText('after', '\nExample:\n  weft backend build')
    .action(runs(async () => (await load()).build))
}
