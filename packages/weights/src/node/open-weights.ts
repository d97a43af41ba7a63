// A checkpoint on the disk: one file of any format, or a folder as Hugging Face lays it out, in one file or in shards.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, FormatError, UnsupportedError, type Json } from '@weft/contracts'
import { readWhole, type ByteSource } from '@weft/sources'
import { fileSource } from '@weft/sources/node'
import { findDuplicateKey } from '../duplicate-keys.ts'
import { openWeightsSource } from '../open-weights-source.ts'
import { joinShards } from '../sharded-weights.ts'
import type { WeightsFile } from '../weights-file.ts'

export interface OpenWeightsOptions {
  /** Wraps each file that is opened, for example with withProgress. */
  readonly wrap?: (source: ByteSource) => ByteSource
  readonly signal?: AbortSignal
}

// The index names every tensor once, as the header does, so it has the header's limit.
const maxIndexBytes = 100_000_000

const indexName = 'model.safetensors.index.json'

/**
 * Opens a file (safetensors, GGUF, .npz, PyTorch, llama2.c), or a folder with `model.safetensors`, or with `model.safetensors.index.json` and its shards, or with a
 * single other file of weights (an adapter, a GGUF, `pytorch_model.bin`). Only headers are read. `close` closes all files.
 * @throws ConfigError for a missing path or a folder without weights; FormatError for a broken file, a shard that is missing or
 * outside the folder, a tensor that is not in its shard; UnsupportedError for other formats.
 */
export const openWeights = async (path: string, options: OpenWeightsOptions = {}): Promise<WeightsFile> => {
  options.signal?.throwIfAborted()
  const info = await stat(path).catch(() => undefined)
  if (info === undefined) throw new ConfigError(`${path}: expected a weights file or a folder, there is nothing`)
  if (!info.isDirectory()) return path.endsWith('.safetensors.index.json') ? openSharded(path, options) : openFile(path, options)
  const names = (await readdir(path)).sort()
  if (names.includes('model.safetensors')) return openFile(join(path, 'model.safetensors'), options)
  if (names.includes(indexName)) return openSharded(join(path, indexName), options)
  const files = names.filter((name) => name.endsWith('.safetensors'))
  if (files.length === 1) return openFile(join(path, files[0]!), options)
  const others = names.filter((name) => /\.(?:gguf|npz|bin|pt|pth)$/.test(name))
  if (files.length === 0 && others.length === 1) return openFile(join(path, others[0]!), options)
  throw noWeights(path, names, files)
}

const noWeights = (path: string, names: readonly string[], files: readonly string[]): Error => {
  if (files.length > 1) return new ConfigError(`${path}: expected model.safetensors or ${indexName}, got ${files.slice(0, 5).join(', ')}; name one of them`)
  const other = names.find((name) => /\.(?:bin|pt|pth|npz|gguf|ckpt|onnx|h5|msgpack)$/.test(name))
  if (other !== undefined) return new UnsupportedError(`${path}: found ${other}; name one file of weights, or convert them to safetensors`)
  return new ConfigError(`${path}: expected model.safetensors or ${indexName}, found ${names.slice(0, 8).join(', ') || 'an empty folder'}`)
}

const openFile = async (path: string, { wrap, signal }: OpenWeightsOptions): Promise<WeightsFile> => {
  const file = await fileSource(path)
  try {
    return await openWeightsSource(wrap?.(file) ?? file, signal === undefined ? {} : { signal })
  } catch (error) {
    await file.close?.()
    throw error
  }
}

const openSharded = async (path: string, options: OpenWeightsOptions): Promise<WeightsFile> => {
  const { metadata, shardOf } = await readIndex(path)
  const folder = join(path, '..')
  const shards = new Map<string, WeightsFile>()
  try {
    for (const shard of new Set(shardOf.values())) {
      const isThere = await stat(join(folder, shard)).then(
        (info) => info.isFile(),
        () => false,
      )
      if (!isThere) throw new FormatError(`expected the shard ${shard} beside the index, it is missing`, { source: path })
      shards.set(shard, await openFile(join(folder, shard), options))
    }
    return joinShards({ name: path, metadata, shardOf, shards })
  } catch (error) {
    for (const shard of shards.values()) await shard.close()
    throw error
  }
}

interface ShardIndex {
  readonly metadata: ReadonlyMap<string, Json>
  /** Tensor → file name. */
  readonly shardOf: ReadonlyMap<string, string>
}

const readIndex = async (path: string): Promise<ShardIndex> => {
  const source = await fileSource(path)
  try {
    const text = new TextDecoder().decode(await readWhole(source, { maxBytes: maxIndexBytes }))
    const index = parseIndex(path, text)
    const { weight_map: map, metadata } = index
    if (!isObject(map)) throw new FormatError('expected an object {tensor: file}', { source: path, path: 'weight_map' })
    for (const [name, file] of Object.entries(map)) {
      if (typeof file !== 'string' || !isShardName(file)) {
        throw new FormatError(`expected the name of a .safetensors file in the folder, got ${JSON.stringify(file)}`, { source: path, path: `weight_map.${name}` })
      }
    }
    return { metadata: new Map(isObject(metadata) ? Object.entries(metadata) : []), shardOf: new Map(Object.entries(map) as [string, string][]) }
  } finally {
    await source.close?.()
  }
}

const parseIndex = (path: string, text: string): Readonly<Record<string, Json>> => {
  let index: Json
  try {
    index = JSON.parse(text) as Json
  } catch (cause) {
    throw new FormatError(`expected JSON (${cause instanceof Error ? cause.message : String(cause)})`, { source: path }, { cause })
  }
  const duplicate = findDuplicateKey(text)
  if (duplicate !== undefined) throw new FormatError('expected each name once, got it twice', { source: path, path: duplicate })
  if (!isObject(index)) throw new FormatError('expected an object with weight_map', { source: path })
  return index
}

/** An index comes from outside: it must not make us open anything but weights, and only in its own folder. */
const isShardName = (file: string): boolean =>
  file.endsWith('.safetensors') && !file.includes('\\') && !file.includes('\0') && !file.includes(':') && file.split('/').every((part) => part !== '' && part !== '.' && part !== '..')

const isObject = (value: Json | undefined): value is Readonly<Record<string, Json>> => typeof value === 'object' && value !== null && !Array.isArray(value)
