// Step 8: what it writes, at three temperatures, and how varied that is.
import type { LanguageModel, Tokenizer } from '@weft/contracts'
import { distinctN, repetition } from '@weft/evaluation/metrics'
import type { DemoContext } from '../context.ts'
import { excerpt } from '../terminal.ts'
import type { Cleaned } from './clean.ts'
import type { Pretrained } from './pretrain.ts'
import { lmOf } from './tune.ts'

interface Sample {
  readonly temperature: number
  readonly prompt: string
  readonly text: string
}

export interface Sampled {
  readonly samples: readonly Sample[]
  readonly variety: readonly { readonly temperature: number; readonly distinct2: number; readonly repetition: number }[]
}

const temperatures = [0.3, 0.8, 1.2]

export const sampleAll = async (context: DemoContext, cleaned: Cleaned, tokenizer: Tokenizer, { mitigated }: Pretrained): Promise<Sampled> => {
  const { run, terminal } = context
  terminal.heading(8, 'Write', 'Continuations of held-out beginnings at three temperatures: low repeats itself, high loses the thread.')
  if (!run.has('sampled')) {
    const lm = lmOf(mitigated, tokenizer)
    const prompts = [...cleaned.heldOut.slice(0, 2).map(({ text }) => text.split(' ').slice(0, 6).join(' ')), 'The people of'].slice(-3)
    const samples: Sample[] = []
    for (const temperature of temperatures) for (const [i, prompt] of prompts.entries()) samples.push({ temperature, prompt, text: await write(context, lm, prompt, temperature, i) })
    lm.dispose?.()
    const variety = temperatures.map((temperature) => {
      const words = samples.filter((sample) => sample.temperature === temperature).map(({ text }) => text.split(/\s+/).filter((word) => word !== ''))
      return { temperature, distinct2: distinctN({ texts: words, n: 2 }), repetition: words.reduce((sum, text) => sum + repetition({ text, n: 3 }), 0) / words.length }
    })
    await run.save('sampled', { samples, variety } satisfies Sampled)
  }
  const sampled = run.load<Sampled>('sampled')
  for (const { temperature, prompt, text } of sampled.samples) terminal.line(`   ${temperature.toFixed(1)}  ${prompt}▸${excerpt(text, 90)}`)
  terminal.table(['temperature', 'distinct pairs of words', 'repeated runs of three'], sampled.variety.map(({ temperature, distinct2, repetition: repeated }) => [temperature.toFixed(1), distinct2.toFixed(3), repeated.toFixed(3)]))
  return sampled
}

const write = async ({ seed, signal, size }: DemoContext, lm: LanguageModel, prompt: string, temperature: number, index: number): Promise<string> => {
  const maxNewTokens = size.name === 'full' ? 48 : 24
  for await (const event of lm.generate({ prompt, temperature, topP: 0.95, maxNewTokens, seed: seed + index }, { signal })) if (event.kind === 'finish') return event.text
  return ''
}
