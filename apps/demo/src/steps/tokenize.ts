// Step 4: a tokenizer of one's own, trained on the training documents alone.
import { ConfigError, type TextDocument, type Tokenizer } from '@weft/contracts'
import { tokenizerFromJson, tokenizerToJson, trainTokenizer } from '@weft/tokenizer'
import type { DemoContext } from '../context.ts'
import { formatNumber } from '../terminal.ts'
import type { Cleaned } from './clean.ts'

export const endToken = '<|endoftext|>'
const specialTokens = [endToken, '<|im_start|>', '<|im_end|>']

export const tokenize = async (context: DemoContext, { training, heldOut }: Cleaned): Promise<Tokenizer> => {
  const { run, terminal, size, signal } = context
  terminal.heading(4, 'Train a tokenizer', 'Byte-level BPE: the most frequent pairs become tokens, so that common words are one piece.')
  if (!run.has('tokenizer')) {
    for await (const event of trainTokenizer({ algorithm: 'bpe', texts: training.map(({ text }) => text), vocabSize: size.vocabSize, specialTokens, signal })) {
      if (event.kind !== 'finished') continue
      if (event.reached < event.wanted) terminal.line(`   the text is too small for ${event.wanted} tokens: ${event.reached} were found`)
      await run.save('tokenizer', tokenizerToJson(event.tokenizer))
    }
  }
  const tokenizer = tokenizerFromJson(run.load('tokenizer'), { roles: { end: ['<|im_end|>', endToken], pad: endToken } })
  show(context, tokenizer, heldOut)
  return tokenizer
}

const show = ({ terminal, run }: DemoContext, tokenizer: Tokenizer, heldOut: readonly TextDocument[]): void => {
  const sample = heldOut[0]?.text
  if (sample === undefined) throw new ConfigError('no text is held out')
  const bytes = heldOut.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  const tokens = heldOut.reduce((sum, { text }) => sum + tokenizer.encode(text).length, 0)
  const words = heldOut.reduce((sum, { text }) => sum + text.split(/\s+/).length, 0)
  terminal.line(`   ${formatNumber(tokenizer.vocabSize)} tokens; on held-out text ${(bytes / tokens).toFixed(2)} bytes a token, ${(tokens / words).toFixed(2)} tokens a word`)
  const pieces = Array.from(tokenizer.encode(sample.slice(0, 90)), (id) => tokenizer.decode([id]))
  terminal.line(`   ${pieces.join('·')}`)
  terminal.file(run.file('steps', 'tokenizer.json'))
}
