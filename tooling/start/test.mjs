// `npm test`: sets up, builds the packages that the packed-package tests need, and runs every test of every project in one vitest run.
// The last line is always `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root, setUp, workspaceEnvironment, workspaceNode } from './setup.mjs'

const fail = () => {
  process.stdout.write('0 passed, 1 failed, 0 skipped\n')
  process.exit(1)
}
if (!setUp()) fail()
const run = (args) => spawnSync(workspaceNode(), args, { cwd: root, stdio: 'inherit', env: workspaceEnvironment() }).status
const bin = (name) => join(root, 'node_modules', name)
const wantsAll = process.argv.length === 2
if (wantsAll && run([bin('turbo/bin/turbo'), 'run', 'build', '--output-logs=errors-only']) !== 0) fail()
const status = run([bin('vitest/vitest.mjs'), 'run', '--reporter=default', '--reporter=@weft/vitest-config/summary-reporter', ...process.argv.slice(2)])
process.exitCode = status ?? 1
