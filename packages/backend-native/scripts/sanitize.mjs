// Runs this package's tests under AddressSanitizer or ThreadSanitizer; a finding ends the process and fails the run.
//
//   node scripts/sanitize.mjs address|thread [test files]
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startVitest } from 'vitest/node'
import { build } from '../native/build.mjs'

const [sanitizer, ...rest] = process.argv.slice(2)
const libraries = { address: 'libasan.so', thread: 'libtsan.so' }
if (!Object.hasOwn(libraries, sanitizer ?? '')) {
  process.stderr.write('usage: node scripts/sanitize.mjs address|thread [test files]\n')
  process.exit(2)
}
const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const status = await build({ sanitizer, log: (line) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${line}`) })
if (!status.built) {
  process.stderr.write(`not built: ${status.reason}\n`)
  process.exit(1)
}
const library = spawnSync('g++', [`-print-file-name=${libraries[sanitizer]}`], { encoding: 'utf8' }).stdout.trim()
// Only the processes that run tests are to load the sanitizer: they inherit this environment, this process has started without it.
const suppressions = join(root, 'scripts', 'thread-sanitizer.txt')
Object.assign(process.env, {
  WEFT_NATIVE_BUILD: join(root, `build-${sanitizer}`),
  LD_PRELOAD: library,
  ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:allocator_may_return_null=1', // V8 keeps much until the end; what is too large is refused, as by the system
  TSAN_OPTIONS: `halt_on_error=1:exitcode=66:allocator_may_return_null=1:suppressions=${suppressions}`,
})
const vitest = await startVitest('test', rest, { root, run: true, watch: false, pool: 'forks', maxWorkers: 1, testTimeout: 300_000, execArgv: ['--single-threaded'] })
await vitest?.close()
