// Several weights files that an index makes one.
import { FormatError, type Json } from '@weft/contracts'
import { unknownTensor } from './unknown-tensor.ts'
import type { TensorInfo, WeightsFile } from './weights-file.ts'

export interface Shards {
  readonly name: string
  readonly metadata: ReadonlyMap<string, Json>
  /** Tensor → shard. */
  readonly shardOf: ReadonlyMap<string, string>
  readonly shards: ReadonlyMap<string, WeightsFile>
}

/**
 * One file out of many, its tensors in the order of the shards and of their bytes there. Tensors that the index does not name are
 * left out, as Hugging Face's loader does; the shards' own metadata stands where the index has none.
 * @throws FormatError for a tensor that is not in the shard that the index names.
 */
export const joinShards = ({ name, metadata, shardOf, shards }: Shards): WeightsFile => {
  const tensors = new Map<string, TensorInfo>()
  const allMetadata = new Map<string, Json>()
  for (const [shard, file] of shards) {
    for (const [key, value] of file.metadata) allMetadata.set(key, value)
    for (const [tensor, info] of file.tensors) if (shardOf.get(tensor) === shard) tensors.set(tensor, info)
  }
  for (const [key, value] of metadata) allMetadata.set(key, value)
  for (const [tensor, shard] of shardOf) {
    if (!tensors.has(tensor)) throw new FormatError(`expected it in the shard ${shard}, it is not there`, { source: name, path: `weight_map.${tensor}` })
  }
  return {
    name,
    metadata: allMetadata,
    tensors,
    read: async (tensor, options) => {
      const file = shards.get(shardOf.get(tensor) ?? '')
      if (file === undefined) throw unknownTensor(name, tensor, tensors)
      return file.read(tensor, options)
    },
    close: async () => {
      for (const file of shards.values()) await file.close()
    },
  }
}
