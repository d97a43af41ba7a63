// Sizes of models by name. All else follows the family (modelConfig of @weft/transformer).
export interface Preset {
  readonly dModel: number
  readonly numLayers: number
  readonly numHeads: number
  readonly contextLength: number
}

export const presets: Readonly<Record<string, Preset>> = {
  nano: { dModel: 32, numLayers: 2, numHeads: 2, contextLength: 64 },
  tiny: { dModel: 128, numLayers: 4, numHeads: 4, contextLength: 128 },
  small: { dModel: 256, numLayers: 6, numHeads: 8, contextLength: 256 },
  medium: { dModel: 512, numLayers: 8, numHeads: 8, contextLength: 512 },
  /** The smallest GPT-2. */
  base: { dModel: 768, numLayers: 12, numHeads: 12, contextLength: 1024 },
}

export const presetNames = Object.keys(presets)
