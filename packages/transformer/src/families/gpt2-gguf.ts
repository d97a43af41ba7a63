// GPT-2 in GGUF files: its own names, matrices [out, in].
import type { FileTensor, GgufLayout } from './family.ts'
import { ggufTensors, type NameRules } from './gguf-names.ts'
import { rounded } from './llama-gguf.ts'
import type { ModelConfig } from '../model-config.ts'

const rules: NameRules = [
  [/^transformer\.wte\.weight$/, 'token_embd.weight'],
  [/^transformer\.wpe\.weight$/, 'position_embd.weight'],
  [/^transformer\.ln_f\.(weight|bias)$/, 'output_norm.$1'],
  [/^lm_head\.weight$/, 'output.weight'],
  [/^transformer\.h\.(\d+)\.ln_1\.(weight|bias)$/, 'blk.$1.attn_norm.$2'],
  [/^transformer\.h\.(\d+)\.attn\.c_attn\.(weight|bias)$/, 'blk.$1.attn_qkv.$2'],
  [/^transformer\.h\.(\d+)\.attn\.c_proj\.(weight|bias)$/, 'blk.$1.attn_output.$2'],
  [/^transformer\.h\.(\d+)\.ln_2\.(weight|bias)$/, 'blk.$1.ffn_norm.$2'],
  [/^transformer\.h\.(\d+)\.mlp\.c_fc\.(weight|bias)$/, 'blk.$1.ffn_up.$2'],
  [/^transformer\.h\.(\d+)\.mlp\.c_proj\.(weight|bias)$/, 'blk.$1.ffn_down.$2'],
]

export const gpt2Gguf = (fileTensors: (config: ModelConfig) => readonly FileTensor[]): GgufLayout => ({
  architecture: 'gpt2',
  ignored: [/^blk\.\d+\.attn\.(?:masked_)?bias$/],

  parse: ({ reader, tokens, vocabSize, hasHead }) => {
    const dModel = reader.integer(['embedding_length'])
    const numHeads = reader.integer(['attention.head_count'])
    reader.ignore('vocab_size')
    return {
      family: 'gpt2',
      vocabSize,
      contextLength: reader.integer(['context_length']),
      dModel,
      numLayers: reader.integer(['block_count']),
      numHeads,
      numKvHeads: numHeads,
      headDim: dModel / numHeads,
      dFf: reader.integer(['feed_forward_length']),
      norm: { kind: 'layerNorm', epsilon: rounded(reader.number(['attention.layer_norm_epsilon'], 1e-5)) },
      activation: 'geluTanh',
      isGated: false,
      positions: { kind: 'learned' },
      tieEmbeddings: !hasHead,
      biases: { attention: true, feedForward: true },
      dropout: { embedding: 0, attention: 0, residual: 0 },
      initializerRange: 0.02,
      ...tokens,
    }
  },

  fileTensors: (config) => ggufTensors(fileTensors(config), rules),
})
