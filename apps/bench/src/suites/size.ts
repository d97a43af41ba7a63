// What a package weighs: its built JavaScript, raw and packed with gzip, and how many packages it brings. Needs `npm run build`.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Measurement, Suite } from '../suite.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..', 'packages')

/** The entry and every chunk that it reaches. */
const reachable = (dist: string, file: string, seen = new Set<string>()): Set<string> => {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, next] of readFileSync(join(dist, file), 'utf8').matchAll(/(?:from|import)\s*\(?["']\.\/([^"']+)["']/g)) reachable(dist, next!, seen)
  return seen
}

const single = (caseName: string, subject: string, value: number, unit: string): Measurement => ({ suite: 'size', case: caseName, subject, value, unit, runs: [value], isRate: false })

export const size: Suite = {
  name: 'size',
  about: 'built size of each package, kB raw and gzip, and its direct dependencies',
  async *run({ note }) {
    const found: Measurement[] = []
    for (const name of readdirSync(root).sort()) {
      const dist = join(root, name, 'dist')
      const entry = existsSync(join(dist, 'index.js')) ? 'index.js' : 'main.js'
      if (!existsSync(join(dist, entry))) {
        note(`skipped: @weft/${name} is not built; \`npm run build\` builds it`)
        continue
      }
      const files = [...reachable(dist, entry)]
      const code = Buffer.concat(files.map((file) => readFileSync(join(dist, file))))
      const manifest = JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> }
      found.push(single('main entry, JavaScript', `@weft/${name}`, files.reduce((sum, file) => sum + statSync(join(dist, file)).size, 0) / 1000, 'kB'))
      found.push(single('main entry, gzip', `@weft/${name}`, gzipSync(code).length / 1000, 'kB'))
      found.push(single('direct dependencies', `@weft/${name}`, Object.keys(manifest.dependencies ?? {}).length, 'packages'))
    }
    // One case after the other, so that the packages of a case stand together.
    for (const name of new Set(found.map((measurement) => measurement.case))) yield* found.filter((measurement) => measurement.case === name)
  },
}
