// `npm run check`: sets up, then builds, typechecks and lints: layers (turbo boundaries), code (oxlint), dependencies and dead code
// (knip), packages as published (publint, attw).
import { spawnSync } from 'node:child_process'
import { root, setUp, workspaceEnvironment } from './setup.mjs'

if (!setUp()) process.exit(1)
const steps = [
  ['turbo', 'run', 'build', 'typecheck', 'lint:pkg', '--output-logs=errors-only'],
  ['turbo', 'boundaries'],
  ['oxlint', '--deny-warnings'],
  ['knip'],
  ['knip', '--production', '--strict', '--include', 'unlisted'],
]
for (const [command, ...args] of steps) {
  process.stdout.write(`\n> ${command} ${args.join(' ')}\n`)
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: workspaceEnvironment() })
  if (status !== 0) {
    process.stderr.write(`check failed at: ${command} ${args.join(' ')}\n`)
    process.exit(status ?? 1)
  }
}
process.stdout.write('\ncheck passed\n')
