// A model from nothing, the tokenizer trained beside it, and text as it comes. Untrained, it babbles: train it with @weft/trainer.
//
//     node --conditions=@weft/source examples/generate.ts
import { createCpuBackend } from '@weft/tensor/cpu'
import { trainTokenizer } from '@weft/tokenizer'
import { createModel, languageModel } from '@weft/transformer'

const text = 'Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is but a dream.'

for await (const event of trainTokenizer({ algorithm: 'bpe', texts: [text], vocabSize: 290, specialTokens: ['<|endoftext|>'] })) {
  if (event.kind !== 'finished') continue
  const { tokenizer } = event
  const model = createModel(
    { family: 'gpt2', vocabSize: tokenizer.vocabSize, contextLength: 64, dModel: 48, numLayers: 3, numHeads: 4 },
    { backend: createCpuBackend(), seed: 1 },
  )
  const lm = languageModel({ model, tokenizer })
  console.log(lm.name)

  for await (const part of lm.generate({ prompt: 'Row, row', maxNewTokens: 24, temperature: 0.7, topK: 40, seed: 3 })) {
    if (part.kind === 'token') process.stdout.write(part.text)
    else console.log(`\n${part.usage.newTokens} tokens, ended by ${part.reason}`)
  }

  for await (const { logProb, tokenCount } of lm.rollingLogLikelihood([text])) {
    console.log(`${(-logProb / Math.LN2 / new TextEncoder().encode(text).length).toFixed(2)} bits a byte over ${tokenCount} tokens`)
  }
  lm.dispose?.()
  model.dispose()
}
