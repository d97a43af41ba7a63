// Models and adapters to and from folders.
import { join } from 'node:path'
import { ConfigError } from '@weft/contracts'
import { writeFiles } from '@weft/sources/node'
import { openWeights } from '@weft/weights/node'
import type { Adapter } from '../adapter.ts'
import { adapterFiles, loadAdapter } from '../adapter-files.ts'
import { modelFiles, type ModelFilesOptions } from '../model-files.ts'
import type { Model } from '../model.ts'
import { readJson } from './load-pretrained.ts'

/** Writes `modelFiles` into a folder, all of them or none; other files in it stay. */
export const saveModel = async (folder: string, options: ModelFilesOptions & { readonly signal?: AbortSignal }): Promise<void> =>
  writeFiles(folder, modelFiles(options), options.signal === undefined ? {} : { signal: options.signal })

/** Writes `adapterFiles` into a folder, all of them or none. */
export const saveAdapter = async (folder: string, options: { readonly adapter: Adapter; readonly baseModel?: string; readonly signal?: AbortSignal }): Promise<void> => {
  const { adapter, baseModel, signal } = options
  await writeFiles(folder, adapterFiles(adapter, baseModel === undefined ? {} : { baseModel }), signal === undefined ? {} : { signal })
}

/** Opens a folder with adapter_config.json and adapter_model.safetensors. */
export const loadPretrainedAdapter = async (folder: string, options: { readonly model: Model; readonly signal?: AbortSignal }): Promise<Adapter> => {
  const { model, signal } = options
  const config = await readJson(folder, 'adapter_config.json')
  if (config === undefined) throw new ConfigError(`${folder}: expected adapter_config.json, it is not there`)
  const weights = await openWeights(join(folder, 'adapter_model.safetensors'))
  try {
    return await loadAdapter(model, { config, weights, ...(signal === undefined ? {} : { signal }) })
  } finally {
    await weights.close()
  }
}
