// Block formats of GGUF files: a run of values in a row shares scales, so only whole blocks have a size. Names and sizes are ggml's
// (ggml/src/ggml-common.h); the layouts of those that Weft computes with are in @weft/tensor.

/** Values a block, bytes a block. */
const blocks = {
  Q4_0: [32, 18],
  Q4_1: [32, 20],
  Q5_0: [32, 22],
  Q5_1: [32, 24],
  Q8_0: [32, 34],
  Q8_1: [32, 36],
  Q2_K: [256, 84],
  Q3_K: [256, 110],
  Q4_K: [256, 144],
  Q5_K: [256, 176],
  Q6_K: [256, 210],
  Q8_K: [256, 292],
  IQ1_S: [256, 50],
  IQ1_M: [256, 56],
  IQ2_XXS: [256, 66],
  IQ2_XS: [256, 74],
  IQ2_S: [256, 82],
  IQ3_XXS: [256, 98],
  IQ3_S: [256, 110],
  IQ4_NL: [32, 18],
  IQ4_XS: [256, 136],
  TQ1_0: [256, 54],
  TQ2_0: [256, 66],
  MXFP4: [32, 17],
} as const

export type BlockDtype = keyof typeof blocks

export const isBlockDtype = (name: unknown): name is BlockDtype => typeof name === 'string' && Object.hasOwn(blocks, name)

export const blockSize = (dtype: BlockDtype): { readonly values: number; readonly bytes: number } => ({ values: blocks[dtype][0], bytes: blocks[dtype][1] })
