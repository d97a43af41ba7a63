// Each package alone, as a person gets it: packed, installed by npm with what its README's install line names into an empty folder
// outside of the repository; then every ts block of that README runs there, under the system's Node.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeBlocks, execute, outsidePath, packages, repositoryRoot, systemNode, type PackageManifest } from './workspace.ts'

const scratch = mkdtempSync(join(tmpdir(), 'weft-packed-'))
const tarballs = join(scratch, 'tarballs')
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const tarballOf = (name: string): string => {
  const file = readdirSync(tarballs).find((candidate) => candidate.startsWith(`${name.slice(1).replace('/', '-')}-`))
  if (file === undefined) throw new Error(`no tarball of ${name} was packed`)
  return join(tarballs, file)
}

const all = packages()

/** The packages that the README's install lines name. */
const installLine = (readme: string): string[] => {
  const lines = codeBlocks(readme).filter(({ language }) => language === 'sh').flatMap(({ code }) => code.split('\n')).filter((text) => /^npm (install|i) /.test(text))
  if (lines.length === 0) throw new Error('the README has no `npm install …` line in a ```sh block')
  return [...new Set(lines.flatMap((line) => line.split(/\s+/).slice(2)))].filter((word) => word !== '' && !word.startsWith('-') && !word.startsWith('#'))
}

const install = async (folder: string, names: readonly string[]): Promise<void> => {
  const own = new Set(all.map(({ name }) => name))
  const dependencies = Object.fromEntries(names.map((name) => [name.replace(/(?<=.)@[^@/]*$/, ''), own.has(name) ? `file:${tarballOf(name)}` : (/(?<=.)@([^@/]*)$/.exec(name)?.[1] ?? '*')]))
  const overrides = Object.fromEntries([...own].filter((name) => !(name in dependencies)).map((name) => [name, `file:${tarballOf(name)}`]))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies, overrides }))
  const outcome = await execute('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder, env: { ...process.env, PATH: outsidePath() } })
  expect(outcome, `npm install ${names.join(' ')}`).toMatchObject({ status: 0 })
}

/** Runs one ts block as a module of its own and returns what it printed. */
const runBlock = async (folder: string, file: string, code: string): Promise<string> => {
  writeFileSync(join(folder, file), stripTypeScriptTypes(code, { mode: 'strip' }))
  const outcome = await execute(systemNode(), [file], { cwd: folder, env: { ...process.env, PATH: outsidePath() } })
  expect(outcome.status, `${file}\n${outcome.stderr}`).toBe(0)
  return outcome.stdout
}

beforeAll(async () => {
  mkdirSync(tarballs)
  for (const { name, folder } of all) if (!existsSync(join(folder, 'dist'))) throw new Error(`${name} is not built: run \`npm run build\` first (npm test does)`)
  const outcome = await execute('pnpm', ['-r', '--filter', './packages/*', 'pack', '--pack-destination', tarballs], { cwd: repositoryRoot })
  expect(outcome, 'pnpm pack').toMatchObject({ status: 0 })
}, 120_000)

/** Programs and addons, which live in Node alone. */
const nodeOnly = new Set(['@weft/cli', '@weft/backend-native'])

describe.each(all)('$name alone', ({ name, folder, exports }: PackageManifest) => {
  const home = join(scratch, name.replace(/\W+/g, '-'))

  test('installs with what its README names and its examples run', { timeout: 240_000 }, async () => {
    const readme = readFileSync(join(folder, 'README.md'), 'utf8')
    const blocks = codeBlocks(readme).filter(({ language, flags }) => language === 'ts' && !flags.includes('no-run'))
    await install(home, installLine(readme))
    for (const [index, { code, line }] of blocks.entries()) {
      const printed = await runBlock(home, `readme-line-${line}.mjs`, code)
      if (index === 0) expect(printed, `the first example of ${name} prints something`).not.toBe('')
    }
    const entries = Object.keys(exports).filter((entry) => entry !== './package.json').map((entry) => name + entry.slice(1))
    await runBlock(home, 'entries.mjs', entries.map((entry) => `await import(${JSON.stringify(entry)})`).join('\n'))
  })

  test.skipIf(nodeOnly.has(name))('keeps Node out of every entry but /node', () => {
    const dist = join(folder, 'dist')
    const reachable = (file: string, seen = new Set<string>()): Set<string> => {
      if (seen.has(file)) return seen
      seen.add(file)
      const code = readFileSync(join(dist, file), 'utf8')
      for (const [, next] of code.matchAll(/(?:from|import)\s*\(?["']\.\/([^"']+)["']/g)) reachable(next!, seen)
      return seen
    }
    for (const entry of Object.keys(exports).filter((path) => path !== './package.json' && path !== './node')) {
      for (const file of reachable(entry === '.' ? 'index.js' : `${entry.slice(2)}.js`)) {
        expect(readFileSync(join(dist, file), 'utf8'), `${name}${entry.slice(1)} reaches ${file}`).not.toMatch(/(?:from|import)\s*\(?["']node:/)
      }
    }
  })
})

test('the examples of the repository README and of the guides run with all packages installed', { timeout: 240_000 }, async () => {
  const home = join(scratch, 'everything')
  await install(home, [...all.map(({ name }) => name), '@tensorflow/tfjs-core@4.22.0', '@tensorflow/tfjs-backend-cpu@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0'])
  const guides = readdirSync(join(repositoryRoot, 'docs', 'guides')).map((file) => join('docs', 'guides', file))
  for (const file of ['README.md', ...guides]) {
    for (const { language, flags, code, line } of codeBlocks(readFileSync(join(repositoryRoot, file), 'utf8'))) {
      if (language === 'ts' && !flags.includes('no-run')) await runBlock(home, `${file.replace(/\W+/g, '-')}-line-${line}.mjs`, code)
    }
  }
})
