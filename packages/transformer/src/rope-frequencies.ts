// The angles of rotary positions (Su et al. 2021, "RoFormer") and what stretches them: dimension pair i of a head turns by
// position · frequency[i].
import type { Llama3RopeScaling, ModelConfig } from './model-config.ts'

/**
 * Inverse frequencies θ^(−2i / headDim), i < headDim / 2, scaled where the configuration says so; undefined without rotary positions.
 */
export const ropeFrequencies = ({ positions, headDim }: Pick<ModelConfig, 'positions' | 'headDim'>): Float64Array | undefined => {
  if (positions.kind !== 'rotary') return undefined
  const { theta, scaling } = positions
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim))
  return scaling === undefined ? plain : plain.map((frequency) => scaleLlama3(frequency, scaling))
}

/**
 * Three bands by wavelength: short ones stay, long ones turn `factor` times slower, and between them the two are blended. As
 * transformers' `_compute_llama3_parameters`.
 */
const scaleLlama3 = (frequency: number, scaling: Llama3RopeScaling): number => {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContextLength } = scaling
  const turns = (originalContextLength * frequency) / (2 * Math.PI) // full turns over the trained length
  if (turns < lowFrequencyFactor) return frequency / factor
  if (turns > highFrequencyFactor) return frequency
  const share = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)
  return ((1 - share) * frequency) / factor + share * frequency
}
