// GPT-2 (Radford et al. 2019; transformers' modeling_gpt2.py): LayerNorm, learned positions, fused query-key-value, tied head, and
// Conv1D weights, stored [in, out].
import { UnsupportedError, type Json } from '@weft/contracts'
import type { Activation, ModelConfig } from '../model-config.ts'
import type { Family, FileTensor } from './family.ts'
import { gpt2Gguf } from './gpt2-gguf.ts'

// gelu_new and gelu_pytorch_tanh are the same formula; "gelu" is the exact one.
const activations: Readonly<Record<string, Activation>> = { gelu_new: 'geluTanh', gelu_pytorch_tanh: 'geluTanh', gelu: 'gelu', relu: 'relu', silu: 'silu', swish: 'silu' }
const activationNames: Readonly<Record<Activation, string>> = { geluTanh: 'gelu_new', gelu: 'gelu', relu: 'relu', silu: 'silu' }

const fileTensors = (config: ModelConfig): FileTensor[] => [
  { file: 'transformer.wte.weight', parameter: 'embeddings.token.weight' },
  { file: 'transformer.wpe.weight', parameter: 'embeddings.position.weight' },
  ...Array.from({ length: config.numLayers }, (_, i) => layerTensors(i)).flat(),
  ...withBias('transformer.ln_f', 'finalNorm'),
  ...(config.tieEmbeddings ? [] : [{ file: 'lm_head.weight', parameter: 'head.weight' }]),
]

export const gpt2: Family = {
  name: 'gpt2',
  modelType: 'gpt2',
  architecture: 'GPT2LMHeadModel',
  basePrefix: 'transformer.',
  ignored: [/\.attn\.bias$/, /\.attn\.masked_bias$/],

  defaults: ({ dModel }) => ({
    dFf: 4 * dModel,
    norm: { kind: 'layerNorm', epsilon: 1e-5 },
    activation: 'geluTanh',
    isGated: false,
    positions: { kind: 'learned' },
    biases: { attention: true, feedForward: true },
  }),

  demands: (config) => [
    config.norm.kind !== 'layerNorm' && 'norm.kind layerNorm',
    config.positions.kind !== 'learned' && 'learned positions',
    config.isGated && 'isGated false',
    config.numKvHeads !== config.numHeads && 'numKvHeads equal to numHeads',
    config.headDim * config.numHeads !== config.dModel && 'headDim dModel / numHeads',
    !(config.biases.attention && config.biases.feedForward) && 'both biases',
  ],

  parse: (reader) => {
    const dModel = reader.integer(['n_embd', 'hidden_size'])
    const numHeads = reader.integer(['n_head', 'num_attention_heads'])
    const vocabSize = reader.integer(['vocab_size'])
    const activationName = reader.read('activation_function') ?? 'gelu_new'
    const activation = typeof activationName === 'string' ? activations[activationName] : undefined
    if (activation === undefined) throw new UnsupportedError(`config.json: activation_function ${JSON.stringify(activationName)} is not supported; only ${Object.keys(activations).join(', ')}`)
    reader.only('scale_attn_weights', true)
    reader.only('scale_attn_by_inverse_layer_idx', false)
    reader.only('add_cross_attention', false)
    // The first is about float16 alone; the summary belongs to a classification head that causal models lack; n_ctx repeats n_positions.
    reader.ignore('reorder_and_upcast_attn', 'n_ctx', 'summary_activation', 'summary_first_dropout', 'summary_proj_to_labels', 'summary_type', 'summary_use_proj')
    return {
      family: 'gpt2',
      vocabSize,
      contextLength: reader.integer(['n_positions', 'max_position_embeddings']),
      dModel,
      numLayers: reader.integer(['n_layer', 'num_hidden_layers']),
      numHeads,
      numKvHeads: numHeads,
      headDim: dModel / numHeads,
      dFf: reader.integer(['n_inner'], 4 * dModel),
      norm: { kind: 'layerNorm', epsilon: reader.number(['layer_norm_epsilon'], 1e-5) },
      activation,
      isGated: false,
      positions: { kind: 'learned' },
      tieEmbeddings: reader.boolean('tie_word_embeddings', true),
      biases: { attention: true, feedForward: true },
      dropout: {
        embedding: reader.number(['embd_pdrop'], 0.1),
        attention: reader.number(['attn_pdrop'], 0.1),
        residual: reader.number(['resid_pdrop'], 0.1),
      },
      initializerRange: reader.number(['initializer_range'], 0.02),
      ...reader.tokenIds(vocabSize),
    }
  },

  toJson: (config): Record<string, Json> => ({
    n_positions: config.contextLength,
    n_embd: config.dModel,
    n_layer: config.numLayers,
    n_head: config.numHeads,
    n_inner: config.dFf === 4 * config.dModel ? null : config.dFf,
    activation_function: activationNames[config.activation],
    layer_norm_epsilon: config.norm.epsilon,
    embd_pdrop: config.dropout.embedding,
    attn_pdrop: config.dropout.attention,
    resid_pdrop: config.dropout.residual,
    scale_attn_weights: true,
    scale_attn_by_inverse_layer_idx: false,
    reorder_and_upcast_attn: false,
  }),

  fileTensors,
  gguf: gpt2Gguf(fileTensors),
}

const layerTensors = (i: number): FileTensor[] => {
  const [file, layer] = [`transformer.h.${i}`, `layers.${i}`]
  return [
    ...withBias(`${file}.ln_1`, `${layer}.attentionNorm`),
    ...withBias(`${file}.attn.c_attn`, `${layer}.attention.qkv`, true),
    ...withBias(`${file}.attn.c_proj`, `${layer}.attention.output`, true),
    ...withBias(`${file}.ln_2`, `${layer}.feedForwardNorm`),
    ...withBias(`${file}.mlp.c_fc`, `${layer}.feedForward.up`, true),
    ...withBias(`${file}.mlp.c_proj`, `${layer}.feedForward.down`, true),
  ]
}

const withBias = (file: string, parameter: string, isTransposed = false): FileTensor[] => [
  { file: `${file}.weight`, parameter: `${parameter}.weight`, ...(isTransposed ? { isTransposed } : {}) },
  { file: `${file}.bias`, parameter: `${parameter}.bias` },
]
