// Cold starts: a new process each time, in turns. An empty Node is the floor.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { median } from '../measure.ts'
import type { Suite } from '../suite.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')

const commands: Readonly<Record<string, readonly string[]>> = {
  'empty Node': ['-e', ''],
  'weft --help': [join(root, 'packages', 'cli', 'src', 'main.ts'), '--help'],
  'import @weft/tensor': ['--input-type=module', '-e', "await import('@weft/tensor')"],
  'import @weft/tokenizer': ['--input-type=module', '-e', "await import('@weft/tokenizer')"],
  'import @weft/transformer': ['--input-type=module', '-e', "await import('@weft/transformer')"],
}

export const start: Suite = {
  name: 'start',
  about: 'cold starts from source, ms',
  async *run({ runs, isQuick }) {
    const chosen = Object.entries(commands).slice(0, isQuick ? 2 : undefined)
    const times = chosen.map((): number[] => [])
    for (let round = -1; round < runs; round++) {
      for (const [i, [name, args]] of chosen.entries()) {
        const begin = performance.now()
        const { status, stderr } = spawnSync(process.execPath, ['--conditions=@weft/source', '--disable-warning=ExperimentalWarning', ...args], { cwd: import.meta.dirname })
        if (status !== 0) throw new Error(`${name} failed: ${stderr.toString()}`)
        if (round >= 0) times[i]!.push(performance.now() - begin) // the first round fills the file cache
      }
    }
    for (const [i, [name]] of chosen.entries()) yield { suite: 'start', case: 'from source', subject: name, value: median(times[i]!), unit: 'ms', runs: times[i]!, isRate: false }
  },
}
