// What a family of checkpoints is: data. Where its config.json says what, and under which names and in which layout its tensors
// are stored. A new family is one such file beside these; the decoder itself knows none.
import type { Json } from '@weft/contracts'
import type { FamilyName, ModelConfig, ModelSizes } from '../model-config.ts'
import type { ConfigReader } from './config-reader.ts'

/** How one tensor of a file becomes a parameter, or a part of one. */
export interface FileTensor {
  /** Its name in the file, for example `model.layers.0.self_attn.q_proj.weight`. */
  readonly file: string
  /** The parameter's name, the same in every family, for example `layers.0.attention.qkv.weight`. */
  readonly parameter: string
  /** Which rows of the parameter it is; absent: all. Several tensors then make up one parameter. */
  readonly rows?: { readonly start: number; readonly count: number }
  /** Stored [in, out] (GPT-2's Conv1D) where parameters are [out, in]. */
  readonly isTransposed?: boolean
  /** Rows of each head stored as pairs that rotate together, side by side (GGUF's Llama), where parameters have the two halves apart: how many heads. */
  readonly pairedHeads?: number
}

/** How GGUF files hold the family. */
export interface GgufLayout {
  /** `general.architecture`. */
  readonly architecture: string
  /** From the metadata, whose names begin with the architecture. */
  parse(metadata: GgufMetadata): ModelConfig
  fileTensors(config: ModelConfig): readonly FileTensor[]
  /** Tensors that hold no weights. */
  readonly ignored: readonly RegExp[]
}

interface GgufMetadata {
  /** Of the fields below the architecture's name, without it: `block_count`. */
  readonly reader: ConfigReader
  /** Of the whole file. */
  readonly tokens: { readonly beginId?: number; readonly endIds: number[]; readonly padId?: number }
  readonly vocabSize: number
  readonly hasHead: boolean
}

export interface Family {
  readonly name: FamilyName
  /** `model_type` and `architectures` in config.json. */
  readonly modelType: string
  readonly architecture: string
  /** The prefix that a file of the bare base model leaves out. */
  readonly basePrefix: string
  /** Tensors of published files that hold no weights: mask buffers, tables of frequencies. */
  readonly ignored: readonly RegExp[]
  /** What a model of these sizes is like unless it says otherwise. */
  defaults(sizes: ModelSizes): Partial<ModelConfig>
  /** What this family's code elsewhere cannot express, as far as `config` asks for it: phrases for an error, false where all is well. */
  demands(config: ModelConfig): readonly (string | false)[]
  parse(reader: ConfigReader): ModelConfig
  /** The fields of config.json that `parse` would read back, in the newest spelling. */
  toJson(config: ModelConfig): Record<string, Json>
  readonly gguf: GgufLayout
  fileTensors(config: ModelConfig): readonly FileTensor[]
}
