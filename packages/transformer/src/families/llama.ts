// Llama 1 to 3 and its look-alikes such as SmolLM2 (Touvron et al. 2023; transformers' modeling_llama.py): RMSNorm, rotary positions
// in the halves convention, grouped-query attention, gated SiLU.
import { ConfigError, UnsupportedError, type Json } from '@weft/contracts'
import type { Activation, Llama3RopeScaling, ModelConfig, Positions } from '../model-config.ts'
import { isJsonObject, type ConfigReader, type JsonObject } from './config-reader.ts'
import type { Family, FileTensor } from './family.ts'
import { llamaGguf } from './llama-gguf.ts'

const activations: Readonly<Record<string, Activation>> = { silu: 'silu', swish: 'silu', gelu: 'gelu', gelu_new: 'geluTanh', gelu_pytorch_tanh: 'geluTanh' }
const activationNames: Readonly<Record<Activation, string>> = { silu: 'silu', gelu: 'gelu', geluTanh: 'gelu_pytorch_tanh', relu: 'relu' }

const fileTensors = (config: ModelConfig): FileTensor[] => [
  { file: 'model.embed_tokens.weight', parameter: 'embeddings.token.weight' },
  ...Array.from({ length: config.numLayers }, (_, i) => layerTensors(config, i)).flat(),
  { file: 'model.norm.weight', parameter: 'finalNorm.weight' },
  ...(config.tieEmbeddings ? [] : [{ file: 'lm_head.weight', parameter: 'head.weight' }]),
]

export const llama: Family = {
  name: 'llama',
  modelType: 'llama',
  architecture: 'LlamaForCausalLM',
  basePrefix: 'model.',
  ignored: [/rotary_emb\.inv_freq$/],

  defaults: ({ dModel }) => ({
    dFf: 32 * Math.ceil((8 * dModel) / 3 / 32), // 8/3 keeps the parameter count of an ungated layer of width 4·dModel
    norm: { kind: 'rmsNorm', epsilon: 1e-5 },
    activation: 'silu',
    isGated: true,
    positions: { kind: 'rotary', theta: 10_000 },
    biases: { attention: false, feedForward: false },
  }),

  demands: (config) => [
    config.norm.kind !== 'rmsNorm' && 'norm.kind rmsNorm',
    config.positions.kind !== 'rotary' && 'rotary positions',
    !config.isGated && 'isGated true',
    config.activation === 'relu' && 'an activation other than relu',
  ],

  parse: (reader) => {
    const dModel = reader.integer(['hidden_size'])
    const numHeads = reader.integer(['num_attention_heads'])
    const vocabSize = reader.integer(['vocab_size'])
    const activationName = reader.read('hidden_act') ?? 'silu'
    const activation = typeof activationName === 'string' ? activations[activationName] : undefined
    if (activation === undefined) throw new UnsupportedError(`config.json: hidden_act ${JSON.stringify(activationName)} is not supported; only ${Object.keys(activations).join(', ')}`)
    reader.only('rope_interleaved', false)
    reader.ignore('pretraining_tp') // slices the same product for tensor parallelism
    return {
      family: 'llama',
      vocabSize,
      contextLength: reader.integer(['max_position_embeddings'], 2048),
      dModel,
      numLayers: reader.integer(['num_hidden_layers']),
      numHeads,
      numKvHeads: reader.integer(['num_key_value_heads'], numHeads),
      headDim: reader.integer(['head_dim'], dModel / numHeads),
      dFf: reader.integer(['intermediate_size']),
      norm: { kind: 'rmsNorm', epsilon: reader.number(['rms_norm_eps'], 1e-6) },
      activation,
      isGated: true,
      positions: rotaryPositions(reader),
      tieEmbeddings: reader.boolean('tie_word_embeddings', false),
      biases: { attention: reader.boolean('attention_bias', false), feedForward: reader.boolean('mlp_bias', false) },
      dropout: {
        // Llama has no such rates; a model trained here may carry them, under GPT-2's names.
        embedding: reader.number(['embd_pdrop'], 0),
        attention: reader.number(['attention_dropout'], 0),
        residual: reader.number(['resid_pdrop'], 0),
      },
      initializerRange: reader.number(['initializer_range'], 0.02),
      ...reader.tokenIds(vocabSize),
    }
  },

  toJson: (config): Record<string, Json> => ({
    max_position_embeddings: config.contextLength,
    hidden_size: config.dModel,
    num_hidden_layers: config.numLayers,
    num_attention_heads: config.numHeads,
    num_key_value_heads: config.numKvHeads,
    head_dim: config.headDim,
    intermediate_size: config.dFf,
    hidden_act: activationNames[config.activation],
    rms_norm_eps: config.norm.epsilon,
    attention_bias: config.biases.attention,
    mlp_bias: config.biases.feedForward,
    attention_dropout: config.dropout.attention,
    ...(config.dropout.embedding > 0 ? { embd_pdrop: config.dropout.embedding } : {}),
    ...(config.dropout.residual > 0 ? { resid_pdrop: config.dropout.residual } : {}),
    ...ropeFields(config.positions),
  }),

  fileTensors,
  gguf: llamaGguf(fileTensors),
}

/** The newest files say rope_parameters { rope_type, rope_theta, … }, older ones rope_theta and rope_scaling { rope_type or type, … }. */
const rotaryPositions = (reader: ConfigReader): Positions => {
  const parameters = reader.object('rope_parameters')
  const scaling = reader.object('rope_scaling')
  const oldTheta = reader.number(['rope_theta'], 10_000)
  const theta = parameters?.['rope_theta'] ?? oldTheta
  if (typeof theta !== 'number') throw new ConfigError(`config.json: rope_parameters.rope_theta must be a number, got ${JSON.stringify(theta)}`)
  const rope = parameters ?? scaling ?? {}
  if (Object.values(rope).some(isJsonObject)) throw new UnsupportedError('config.json: rope_parameters that differ from layer to layer are not supported')
  const kind = rope['rope_type'] ?? rope['type'] ?? 'default'
  const partial = reader.number(['partial_rotary_factor'], 1)
  if (partial !== 1) throw new UnsupportedError(`config.json: partial_rotary_factor ${partial} is not supported; only 1`)
  const known = new Set(['rope_type', 'type', 'rope_theta'])
  if (kind === 'llama3') for (const name of ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings']) known.add(name)
  else if (kind !== 'default') throw new UnsupportedError(`config.json: rope_type ${JSON.stringify(kind)} is not supported; only "default" and "llama3"`)
  const unknown = Object.keys(rope).filter((name) => !known.has(name) && rope[name] !== null)
  if (unknown.length > 0) throw new UnsupportedError(`config.json: unknown fields of rope_type ${kind} that may change the numbers: ${unknown.join(', ')}`)
  return kind === 'llama3' ? { kind: 'rotary', theta, scaling: llama3Scaling(rope) } : { kind: 'rotary', theta }
}

const llama3Scaling = (rope: JsonObject): Llama3RopeScaling => {
  const field = (name: string): number => {
    const value = rope[name]
    if (typeof value !== 'number') throw new ConfigError(`config.json: rope_type llama3 needs the number ${name}, got ${JSON.stringify(value) ?? 'nothing'}`)
    return value
  }
  return {
    kind: 'llama3',
    factor: field('factor'),
    lowFrequencyFactor: field('low_freq_factor'),
    highFrequencyFactor: field('high_freq_factor'),
    originalContextLength: field('original_max_position_embeddings'),
  }
}

// Both spellings: older readers look at rope_theta and rope_scaling, newer ones at rope_parameters first.
const ropeFields = (positions: Positions): Record<string, Json> => {
  if (positions.kind !== 'rotary') return {}
  const { theta, scaling } = positions
  if (scaling === undefined) return { rope_theta: theta, rope_parameters: { rope_type: 'default', rope_theta: theta } }
  const fields = {
    rope_type: 'llama3',
    factor: scaling.factor,
    low_freq_factor: scaling.lowFrequencyFactor,
    high_freq_factor: scaling.highFrequencyFactor,
    original_max_position_embeddings: scaling.originalContextLength,
  }
  return { rope_theta: theta, rope_scaling: fields, rope_parameters: { ...fields, rope_theta: theta } }
}

const layerTensors = (config: ModelConfig, i: number): FileTensor[] => {
  const [file, layer] = [`model.layers.${i}`, `layers.${i}`]
  const { numHeads, numKvHeads, headDim, biases } = config
  const [q, kv] = [numHeads * headDim, numKvHeads * headDim]
  const projection = (name: string, parameter: string, hasBias: boolean, rows?: { start: number; count: number }): FileTensor[] =>
    (hasBias ? ['weight', 'bias'] : ['weight']).map((part) => ({
      file: `${file}.${name}.${part}`,
      parameter: `${layer}.${parameter}.${part}`,
      ...(rows === undefined ? {} : { rows }),
    }))
  return [
    { file: `${file}.input_layernorm.weight`, parameter: `${layer}.attentionNorm.weight` },
    ...projection('self_attn.q_proj', 'attention.qkv', biases.attention, { start: 0, count: q }),
    ...projection('self_attn.k_proj', 'attention.qkv', biases.attention, { start: q, count: kv }),
    ...projection('self_attn.v_proj', 'attention.qkv', biases.attention, { start: q + kv, count: kv }),
    ...projection('self_attn.o_proj', 'attention.output', biases.attention),
    { file: `${file}.post_attention_layernorm.weight`, parameter: `${layer}.feedForwardNorm.weight` },
    ...projection('mlp.gate_proj', 'feedForward.gate', biases.feedForward),
    ...projection('mlp.up_proj', 'feedForward.up', biases.feedForward),
    ...projection('mlp.down_proj', 'feedForward.down', biases.feedForward),
  ]
}
