// What Weft's native backend sets out to reach, as data, and whether a run did. A goal that names a peer counts its worst case.
import type { Measurement } from '../suite.ts'
import { timesBetter } from '../table.ts'
import { shortCase, styleOf } from './subject-style.ts'

export interface Goal {
  readonly work: string
  /** In words. */
  readonly needed: string
  /** Undefined where it was not measured. */
  judge(measurements: readonly Measurement[]): Verdict | undefined
}

interface Verdict {
  readonly measured: string
  readonly isMet: boolean
}

type CaseTest = (measurement: Measurement) => boolean

const inCase = (suite: string, pattern: RegExp): CaseTest => (one) => one.suite === suite && pattern.test(one.case)

/** Native against peers, case by case: how many times better, with the peer and the case. */
const ratios = (measurements: readonly Measurement[], test: CaseTest, peers: readonly string[]): { readonly ratio: number; readonly peer: Measurement }[] =>
  measurements.filter((one) => test(one) && one.id === 'native').flatMap((ours) =>
    measurements
      .filter((other) => other.suite === ours.suite && other.case === ours.case && peers.includes(other.id ?? '') && other.value > 0)
      .map((peer) => ({ ratio: timesBetter(ours, peer), peer })),
  )

const ahead = (work: string, test: CaseTest, peers: readonly string[], least: number, needed: string): Goal => ({
  work,
  needed,
  judge: (measurements) => {
    const found = ratios(measurements, test, peers)
    if (found.length === 0) return undefined
    const worst = found.reduce((a, b) => (b.ratio < a.ratio ? b : a))
    const name = styleOf(worst.peer.id!).label
    const where = found.length === 1 ? name : `${name}, ${shortCase(worst.peer.case)}; best ${Math.max(...found.map(({ ratio }) => ratio)).toFixed(2)} ×`
    return { measured: `${worst.ratio.toFixed(2)} × (${where})`, isMet: worst.ratio >= least }
  },
})

const shareAtLeast = (work: string, test: CaseTest, least: number, of: string): Goal => ({
  work,
  needed: `${(100 * least).toFixed(0)} % of ${of}`,
  judge: (measurements) => {
    const shares = measurements.filter((one) => test(one) && one.id === 'native' && one.share !== undefined)
    if (shares.length === 0) return undefined
    const worst = shares.reduce((a, b) => (b.share!.value < a.share!.value ? b : a))
    return { measured: `${(100 * worst.share!.value).toFixed(0)} %${shares.length > 1 ? ` (${worst.case})` : ''}`, isMet: worst.share!.value >= least }
  },
})

const below = (work: string, test: CaseTest, most: number, unit: string): Goal => ({
  work,
  needed: `at most ${most} ${unit}`,
  judge: (measurements) => {
    const found = measurements.find((one) => test(one) && one.id === 'native')
    return found === undefined ? undefined : { measured: `${found.value.toFixed(2)} ${unit}`, isMet: found.value <= most }
  },
})

const squares = /^(\d+)×\1$/
const torch = ['torch', 'torch-compile']

export const goals: readonly Goal[] = [
  shareAtLeast('matrix product f32, 512 to 2048', inCase('gemm', /^(512×512|1024×1024|2048×2048)$/), 0.8, 'the FMA peak'),
  shareAtLeast('matrix product f32, 64', inCase('gemm', /^64×64$/), 0.25, 'the FMA peak'),
  ahead('matrix product f32, 64 to 2048', inCase('gemm', squares), torch, 1, 'ahead of PyTorch at every size'),
  ahead('train GPT 12.3M, f32', inCase('train', /^GPT 12\.3M .*, f32$/), torch, 1.4, '1.4 × PyTorch, eager and compiled'),
  ahead('train GPT 12.3M, bf16', inCase('train', /^GPT 12\.3M .*, bf16$/), torch, 1.2, '1.2 × PyTorch bf16 autocast'),
  ahead('train GPT 0.87M, f32', inCase('train', /^GPT 0\.87M .*, f32$/), torch, 1.5, '1.5 × PyTorch'),
  ahead('train GPT-2 124M, f32', inCase('train', /^GPT-2 124M .*, f32$/), torch, 1.4, '1.4 × PyTorch'),
  ahead('train GPT-2 124M, f32', inCase('train', /^GPT-2 124M .*, f32$/), ['llm.c'], 4, '4 × llm.c'),
  ahead('peak memory, GPT-2 124M, f32', inCase('train', /^peak memory, GPT-2 124M, f32$/), ['torch'], 1, "no more than PyTorch's"),
  ahead('attention forward and backward, f32', inCase('attention', /^T (256|512|1024|2048) .*, f32$/), torch, 1, "ahead of PyTorch's scaled_dot_product_attention"),
  ahead('SmolLM2-135M Q4_1, prefill of 512 tokens', inCase('generate', /^prefill of 512 tokens$/), ['llama.cpp'], 2.5, '2.5 × llama.cpp, compiled natively'),
  ahead('SmolLM2-135M Q4_1, decode', inCase('generate', /^decode, 64 tokens/), ['llama.cpp'], 2, '2 × llama.cpp, compiled natively'),
  below('bf16 losses against f32, 12.3M, 300 steps of real text', inCase('precision', /^largest difference of a step, GPT 12\.3M/), 1, '%'),
]
