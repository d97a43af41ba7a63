// `npm run demo`, `npm run bench`, `npm run weft`: sets up where needed, then runs a TypeScript program from source on the pinned Node.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root, setUp, workspaceEnvironment, workspaceNode } from './setup.mjs'

const [program, ...args] = process.argv.slice(2)
if (!setUp()) process.exit(1)
const child = spawn(workspaceNode(), ['--conditions=@weft/source', '--disable-warning=ExperimentalWarning', join(root, program), ...args], {
  cwd: process.env.INIT_CWD ?? process.cwd(), // where the person stands, not the repository's root: relative paths mean theirs
  env: workspaceEnvironment(),
  stdio: 'inherit',
})
// Ctrl-C reaches the child by itself; this process only waits for it to finish in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal !== 'SIGINT' && child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
