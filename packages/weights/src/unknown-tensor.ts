// The error for a name that no tensor of a file has.
import { ConfigError } from '@weft/contracts'
import type { TensorInfo } from './weights-file.ts'

/** Names some that there are. */
export const unknownTensor = (source: string, name: string, tensors: ReadonlyMap<string, TensorInfo>): ConfigError => {
  const names = [...tensors.keys()]
  const some = names.slice(0, 5).join(', ') + (names.length > 5 ? `, … (${names.length} in all)` : '')
  return new ConfigError(`${source}: no tensor named ${JSON.stringify(name)}; there are ${names.length === 0 ? 'none' : some}`)
}

