// Machines without a compiler, with one that is too old, or one that fails: the build goes on without an error of its own, the backend
// gives the reason when somebody asks for it, and another backend takes its place.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isWeftError } from '@weft/contracts'
import { firstWorking } from '@weft/tensor'
import { createCpuBackend } from '@weft/tensor/cpu'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { loadAddon } from '../src/addon.ts'
import { createNativeBackend } from '../src/index.ts'

const scratch = mkdtempSync(join(tmpdir(), 'weft-compiler-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
afterEach(() => vi.unstubAllEnvs())

let machines = 0

/** A machine of its own: the package's native folder, and a PATH with these programs alone. */
const machine = (programs: Readonly<Record<string, string>>): { readonly folder: string; build(...flags: string[]): { readonly code: number | null; readonly said: string; readonly status: Record<string, unknown> } } => {
  const root = join(scratch, String(machines++))
  const [path, folder] = [join(root, 'bin'), join(root, 'build')]
  mkdirSync(path, { recursive: true })
  cpSync(join(import.meta.dirname, '../native'), join(root, 'native'), { recursive: true })
  symlinkSync(join(import.meta.dirname, '../node_modules'), join(root, 'node_modules'))
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(path, name), 0o755)
  }
  const build = (...flags: string[]) => {
    const { status: code, stderr } = spawnSync(process.execPath, [join(root, 'native/build.mjs'), ...flags], { encoding: 'utf8', env: { PATH: path } })
    return { code, said: stderr, status: JSON.parse(readFileSync(join(folder, 'status.json'), 'utf8')) as Record<string, unknown> }
  }
  return { folder, build }
}

const reasonOf = (folder: string): string => {
  try {
    loadAddon(folder)
  } catch (error) {
    expect(isWeftError(error, 'backend')).toBe(true)
    return String(error)
  }
  return expect.fail('it was loaded')
}

const version = (text: string, more = 'exit 1'): string => `case "$1" in -dumpfullversion|-dumpversion) echo ${text};; --version) echo "$0 ${text}";; *) ${more};; esac`

describe.skipIf(process.platform === 'win32')('compilers', () => {
  it('none: the build says so and ends well, the backend gives the reason, the next candidate is taken', async () => {
    const { folder, build } = machine({})
    const { code, said, status } = build()
    expect(code).toBe(0)
    expect(said).toMatch(/was not built, other backends go on working: no C\+\+ compiler was found \(tried g\+\+, clang\+\+, c\+\+\); install g\+\+ 11 or newer/)
    expect(status).toMatchObject({ built: false })
    expect(reasonOf(folder)).toMatch(/backend-native: it was not built: no C\+\+ compiler was found/)

    vi.stubEnv('WEFT_NATIVE_BUILD', folder)
    const skipped: string[] = []
    const backend = await firstWorking(
      [
        { name: 'native', create: () => createNativeBackend() },
        { name: 'reference', create: createCpuBackend },
      ],
      { onSkipped: ({ name, reason }) => skipped.push(`${name}: ${reason}`) },
    )
    expect(backend.name).toBe('cpu')
    expect(skipped).toHaveLength(1)
    expect(skipped[0]).toMatch(/^native: backend-native: it was not built: no C\+\+ compiler/)
  })

  it('one that is too old is named with its version', () => {
    const { folder, build } = machine({ 'g++': version('9.4.0') })
    expect(build().code).toBe(0)
    expect(reasonOf(folder)).toMatch(/it was not built: g\+\+ is version 9\.4\.0, 11 or newer is needed \(C\+\+20\); install/)
  })

  it('a newer one beside it is taken', () => {
    const { folder, build } = machine({ 'g++': version('9.4.0'), 'clang++': `case "$1" in -dumpversion) echo 17.0.6;; --version) echo "clang version 17.0.6";; *) echo "no disk" >&2; exit 1;; esac` })
    build()
    expect(reasonOf(folder)).toMatch(/clang\+\+ could not compile .*\.cpp:\s+no disk/)
  })

  it('one that fails: its words are the reason, and no addon of other sources stays behind', () => {
    const { folder, build } = machine({ 'g++': version('13.2.0', 'echo "internal compiler error" >&2; exit 4') })
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'weft-native.node'), 'from older sources')
    expect(build().code).toBe(0)
    expect(existsSync(join(folder, 'weft-native.node'))).toBe(false)
    expect(reasonOf(folder)).toMatch(/g\+\+ could not compile .*\.cpp:\s+internal compiler error/)
  })
})

describe('the addon', () => {
  it('that was never built', () => {
    expect(reasonOf(join(scratch, 'nowhere'))).toMatch(/it is not built yet; run `node native\/build\.mjs`/)
  })

  it('that is no addon', () => {
    const folder = join(scratch, 'broken')
    mkdirSync(folder)
    writeFileSync(join(folder, 'weft-native.node'), 'not a library')
    expect(reasonOf(folder)).toMatch(/weft-native\.node cannot be loaded \(.*\); build it again with `node native\/build\.mjs --force`/s)
  })
})
