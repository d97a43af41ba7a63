// Compiles the addon with the machine's C++ compiler, once: into build/, with status.json beside it, which says what came of it. Where
// there is no compiler nothing fails: the reason is noted and the backend gives it when somebody asks for it.
//
//   node native/build.mjs [--force] [--when-needed] [--sanitizer=address|thread]
//
// --when-needed says something only where something is compiled.
//
// A stamp of sources, flags and compiler decides whether anything is to be done; objects are kept by the stamp of their own sources, in
// build/objects or in $WEFT_NATIVE_OBJECTS.
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const minimum = { gcc: 11, clang: 14 }

const sanitizers = { address: ['-fsanitize=address', '-fno-omit-frame-pointer', '-O1', '-g'], thread: ['-fsanitize=thread', '-O1', '-g'] }

const levels = process.arch === 'x64' ? [['-march=x86-64-v2'], ['-march=x86-64-v3'], ['-march=x86-64-v4', '-mprefer-vector-width=512']] : [[]]

const run = promisify(execFile)

/** What a compiler says of itself; undefined where it cannot be run. */
const versionOf = (name) => {
  // clang knows the second flag alone.
  for (const flags of [['-dumpfullversion', '-dumpversion'], ['-dumpversion']]) {
    const { status, stdout } = spawnSync(name, flags, { encoding: 'utf8' })
    if (status === 0) return stdout.trim()
  }
  return undefined
}

/** The compiler to use: $CXX, g++ or clang++; or why there is none. */
const findCompiler = () => {
  const absent = []
  const old = []
  for (const name of [process.env.CXX, 'g++', 'clang++', 'c++'].filter(Boolean)) {
    const version = versionOf(name)
    if (version === undefined) {
      absent.push(name)
      continue
    }
    const isClang = (spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout ?? '').includes('clang')
    const needed = isClang ? minimum.clang : minimum.gcc
    if (Number.parseInt(version, 10) >= needed) return { name, version }
    old.push(`${name} is version ${version}, ${needed} or newer is needed (C++20)`)
  }
  const found = old.length > 0 ? old.join('; ') : `no C++ compiler was found (tried ${absent.join(', ')})`
  return { reason: `${found}; install g++ ${minimum.gcc} or newer (Debian and Ubuntu: apt install g++; macOS: xcode-select --install), then run this again` }
}

const sourcesIn = (folder, extension) =>
  readdirSync(join(here, folder))
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => join(here, folder, name))

const digest = (parts) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex').slice(0, 24)
}

/** The headers of ours that a text includes, directly or through others: a change of one compiles only what it concerns. */
const includedBy = (text, headers) => {
  const found = new Map()
  const visit = (from) => {
    for (const [, name] of from.toString().matchAll(/^#include "(?:[^"]*\/)?([^"/]+)"/gm)) {
      if (found.has(name) || !headers.has(name)) continue
      found.set(name, headers.get(name))
      visit(headers.get(name))
    }
  }
  visit(text)
  return [...found.values()]
}

/** One compilation: a source, its flags, and the object that they give, named after everything that decides it. */
const planUnits = (compiler, objects, flags, includes) => {
  const headers = new Map([...sourcesIn('core', '.h'), ...sourcesIn('kernels', '.h')].map((file) => [basename(file), readFileSync(file)]))
  const unit = (source, extra) => {
    const all = [...flags, ...extra]
    const text = readFileSync(source)
    const stamp = digest([compiler.name, compiler.version, ...all, text, ...includedBy(text, headers)])
    return { source, flags: [...all, ...includes], object: join(objects, `${stamp}.o`) }
  }
  return [
    ...sourcesIn('core', '.cpp').map((source) => unit(source, [])),
    ...sourcesIn('kernels', '.cpp').flatMap((source) => levels.map((march, level) => unit(source, [...march, `-DWEFT_LEVEL=${level}`]))),
  ]
}

const compile = async (compiler, unit) => {
  if (existsSync(unit.object)) return
  const temporary = `${unit.object}.${process.pid}.tmp`
  try {
    await run(compiler.name, [...unit.flags, '-c', unit.source, '-o', temporary], { maxBuffer: 1 << 26 })
  } catch (error) {
    throw new Error(`${compiler.name} could not compile ${unit.source}:\n${error.stderr ?? error.message}`)
  }
  renameSync(temporary, unit.object)
}

/** Runs `work` on every item, `width` at a time. */
const inParallel = async (items, width, work) => {
  const queue = [...items]
  await Promise.all(Array.from({ length: width }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }))
}

/**
 * Builds the addon where it is not there already.
 * @returns {Promise<{ built: boolean, wasThere?: boolean, reason?: string, compiler?: string, seconds?: number }>} never rejects: what went wrong is in `reason`.
 */
export const build = async ({ sanitizer, force = false, log = () => {} } = {}) => {
  const folder = join(here, '..', sanitizer === undefined ? 'build' : `build-${sanitizer}`)
  // Checkouts may share compiled objects: their names say all that decides what is in them.
  const shared = process.env.WEFT_NATIVE_OBJECTS
  const objects = shared ?? join(folder, 'objects')
  for (const needed of [folder, objects]) mkdirSync(needed, { recursive: true })
  const statusFile = join(folder, 'status.json')
  const finish = (status) => {
    writeFileSync(`${statusFile}.${process.pid}.tmp`, `${JSON.stringify(status, undefined, 2)}\n`)
    renameSync(`${statusFile}.${process.pid}.tmp`, statusFile)
    return status
  }
  const compiler = findCompiler()
  if (compiler.reason !== undefined) return finish({ built: false, reason: compiler.reason })
  const addon = join(folder, 'weft-native.node')
  let stampBefore
  let stamp
  try {
    const include = (await import('node-api-headers')).default.include_dir
    const flags = ['-std=c++20', '-O3', '-fPIC', '-fvisibility=hidden', '-fno-math-errno', '-fno-trapping-math', '-Wall', '-Wno-psabi', '-DNAPI_VERSION=8', ...(sanitizer === undefined ? [] : sanitizers[sanitizer])]
    const units = planUnits(compiler, objects, flags, [`-I${include}`, `-I${join(here, 'core')}`])
    stamp = digest(units.map(({ object }) => basename(object)))
    const before = existsSync(statusFile) ? JSON.parse(readFileSync(statusFile, 'utf8')) : {}
    stampBefore = before.stamp
    if (!force && before.stamp === stamp && existsSync(addon)) return { ...before, wasThere: true }
    const start = performance.now()
    log(`compiling ${units.length} files (once; less than a minute)`)
    let done = 0
    await inParallel(units, Math.max(1, availableParallelism()), async (unit) => {
      await compile(compiler, unit)
      log(`${++done}/${units.length} ${unit.source.slice(here.length + 1)}`)
    })
    const temporary = `${addon}.${process.pid}.tmp`
    await run(compiler.name, ['-shared', '-o', temporary, ...units.map(({ object }) => object), '-pthread', ...(sanitizer === undefined ? [] : sanitizers[sanitizer]), ...(process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [])])
    renameSync(temporary, addon)
    if (shared === undefined) {
      const kept = new Set(units.map(({ object }) => object))
      for (const name of readdirSync(objects)) if (!kept.has(join(objects, name))) rmSync(join(objects, name), { force: true })
    }
    return finish({ built: true, stamp, compiler: `${compiler.name} ${compiler.version}`, seconds: Math.round((performance.now() - start) / 100) / 10 })
  } catch (error) {
    if (stamp === undefined || stamp !== stampBefore) rmSync(addon, { force: true }) // it came from other sources, and would answer wrongly
    return finish({ built: false, reason: error instanceof Error ? error.message : String(error) })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const sanitizer = process.argv.find((argument) => argument.startsWith('--sanitizer='))?.slice('--sanitizer='.length)
  if (sanitizer !== undefined && !Object.hasOwn(sanitizers, sanitizer)) {
    process.stderr.write(`--sanitizer: expected address or thread, got ${sanitizer}\n`)
    process.exit(2)
  }
  const status = await build({ sanitizer, force: process.argv.includes('--force'), log: (line) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${line}`) })
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  if (process.argv.includes('--when-needed') && status.wasThere === true) process.exit(0)
  process.stderr.write(status.built ? `@weft/backend-native: ready (${status.compiler}, ${status.seconds} s)\n` : `@weft/backend-native was not built, other backends go on working: ${status.reason}\n`)
}
