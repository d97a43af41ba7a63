// Llama in GGUF files (llama.cpp's conversion): its own names, and queries and keys with the two dimensions of a rotation side by side.
import { UnsupportedError } from '@weft/contracts'
import type { FileTensor, GgufLayout } from './family.ts'
import { ggufTensors, type NameRules } from './gguf-names.ts'
import type { ModelConfig } from '../model-config.ts'

const rules: NameRules = [
  [/^model\.embed_tokens\.weight$/, 'token_embd.weight'],
  [/^model\.norm\.weight$/, 'output_norm.weight'],
  [/^lm_head\.weight$/, 'output.weight'],
  [/^model\.layers\.(\d+)\.input_layernorm\.(weight)$/, 'blk.$1.attn_norm.$2'],
  [/^model\.layers\.(\d+)\.self_attn\.q_proj\.(weight|bias)$/, 'blk.$1.attn_q.$2'],
  [/^model\.layers\.(\d+)\.self_attn\.k_proj\.(weight|bias)$/, 'blk.$1.attn_k.$2'],
  [/^model\.layers\.(\d+)\.self_attn\.v_proj\.(weight|bias)$/, 'blk.$1.attn_v.$2'],
  [/^model\.layers\.(\d+)\.self_attn\.o_proj\.(weight|bias)$/, 'blk.$1.attn_output.$2'],
  [/^model\.layers\.(\d+)\.post_attention_layernorm\.(weight)$/, 'blk.$1.ffn_norm.$2'],
  [/^model\.layers\.(\d+)\.mlp\.(gate|up|down)_proj\.(weight|bias)$/, 'blk.$1.ffn_$2.$3'],
]

export const llamaGguf = (fileTensors: (config: ModelConfig) => readonly FileTensor[]): GgufLayout => ({
  architecture: 'llama',
  ignored: [],

  parse: ({ reader, tokens, vocabSize, hasHead }) => {
    const dModel = reader.integer(['embedding_length'])
    const numHeads = reader.integer(['attention.head_count'])
    const headDim = reader.integer(['attention.key_length', 'rope.dimension_count'], dModel / numHeads)
    for (const name of ['attention.value_length', 'rope.dimension_count']) {
      const other = reader.integer([name], headDim)
      if (other !== headDim) throw new UnsupportedError(`GGUF metadata: llama.${name} ${other} is not supported beside a head of ${headDim}`)
    }
    reader.only('rope.scaling.type', 'none')
    reader.only('expert_count', 0)
    reader.ignore('vocab_size', 'expert_used_count', 'rope.scaling.finetuned')
    return {
      family: 'llama',
      vocabSize,
      contextLength: reader.integer(['context_length']),
      dModel,
      numLayers: reader.integer(['block_count']),
      numHeads,
      numKvHeads: reader.integer(['attention.head_count_kv'], numHeads),
      headDim,
      dFf: reader.integer(['feed_forward_length']),
      norm: { kind: 'rmsNorm', epsilon: rounded(reader.number(['attention.layer_norm_rms_epsilon'], 1e-5)) },
      activation: 'silu',
      isGated: true,
      positions: { kind: 'rotary', theta: reader.number(['rope.freq_base'], 10_000) },
      tieEmbeddings: !hasHead,
      biases: { attention: false, feedForward: false },
      dropout: { embedding: 0, attention: 0, residual: 0 },
      initializerRange: 0.02,
      ...tokens,
    }
  },

  fileTensors: (config) =>
    ggufTensors(fileTensors(config), rules, ({ file }) => {
      if (file.includes('.q_proj.')) return config.numHeads
      return file.includes('.k_proj.') ? config.numKvHeads : undefined
    }),
})

/** A small f32 as the decimal that it was written as: 9.999999747e-6 is 1e-5. */
export const rounded = (epsilon: number): number => Number(epsilon.toPrecision(6))
