// GGUF's names for tensors out of Hugging Face's: `model.layers.3.mlp.up_proj.weight` is `blk.3.ffn_up.weight` there.
import type { FileTensor } from './family.ts'

/** Patterns are matched against the whole name; `$1` is the layer. The first that fits counts. */
export type NameRules = readonly (readonly [pattern: RegExp, replacement: string])[]

/** @throws TypeError in our own mistakes alone: a family's rules cover all of its tensors. */
export const ggufTensors = (tensors: readonly FileTensor[], rules: NameRules, pairedHeads: (tensor: FileTensor) => number | undefined = () => undefined): FileTensor[] =>
  tensors.map((tensor) => {
    const rule = rules.find(([pattern]) => pattern.test(tensor.file))
    if (rule === undefined) throw new TypeError(`no name in GGUF for ${tensor.file}`)
    const { parameter, rows } = tensor
    const heads = pairedHeads(tensor)
    return { file: tensor.file.replace(rule[0], rule[1]), parameter, ...(rows === undefined ? {} : { rows }), ...(heads === undefined ? {} : { pairedHeads: heads }) }
  })
