// Step 6: fine-tuning. A LoRA adapter learns to answer in the chat template; the loss is on the answers alone, the base stays as it is.
import { isWeftError, type LanguageModel, type Tokenizer } from '@weft/contracts'
import { encodeWithOffsets } from '@weft/tokenizer'
import { supervisedBatches, type TrainEvent } from '@weft/trainer'
import { causal } from '@weft/trainer/objectives'
import { createAdapter, languageModel, mergeAdapter, type Model } from '@weft/transformer'
import { loadPretrained, saveAdapter, saveModel } from '@weft/transformer/node'
import { conversation, makeQuestions, type Question } from '../corpus/questions.ts'
import type { DemoContext } from '../context.ts'
import { nextTurn } from '../next-turn.ts'
import { runTraining } from '../run-training.ts'
import { excerpt, formatNumber } from '../terminal.ts'
import type { Cleaned } from './clean.ts'
import { chatTemplate } from './pretrain.ts'

export interface Tuned {
  readonly model: Model
  readonly events: readonly TrainEvent[]
  readonly correctBefore: number
  readonly correctAfter: number
  readonly asked: number
}

interface TuneRecord {
  readonly correctBefore: number
  readonly correctAfter: number
  readonly asked: number
  readonly answers: readonly { readonly question: string; readonly answer: string; readonly said: string }[]
}

export const tune = async (context: DemoContext, cleaned: Cleaned, tokenizer: Tokenizer, base: Model): Promise<Tuned> => {
  const { run, terminal, size, seed, backend, textFolder } = context
  terminal.heading(6, 'Fine-tune into an assistant', 'LoRA on question and answer pairs made from the corpus, in the ChatML template; loss on the answers only. Adapter saved apart and merged.')
  const { training, test } = makeQuestions(cleaned.training, { count: size.questions, seed, isBooks: textFolder === undefined })
  if (!run.has('tuned')) {
    const adapter = createAdapter(base, { kind: 'lora', rank: 8, alpha: 16, seed })
    const network = base.withAdapters([adapter])
    terminal.line(`   ${formatNumber(training.length)} pairs, for example “${excerpt(training[0]?.question ?? '', 70)}” → “${excerpt(training[0]?.answer ?? '', 40)}”`)
    const before = await score(lmOf(base, tokenizer), test, context.signal)
    const events = await runTraining(context, {
      label: 'adapter',
      parameters: [...adapter.parameters().values()],
      objective: causal({ network }),
      batches: supervisedBatches({
        conversations: training.map(conversation),
        chatTemplate,
        encode: (text) => encodeWithOffsets(tokenizer, text, { allowSpecial: true }),
        padId: tokenizer.padId ?? tokenizer.endIds[0]!,
        batchSize: 8,
        maxLength: size.model.contextLength,
        seed,
      }),
      steps: size.tuneSteps,
      learningRate: 5e-3,
      weightDecay: 0,
    })
    const merged = mergeAdapter(base, adapter)
    const after = await score(lmOf(merged, tokenizer), test, context.signal)
    await saveAdapter(run.file('adapter'), { adapter, baseModel: '../models/with-mitigation' })
    await saveModel(run.file('model'), { model: merged, tokenizer, chatTemplate })
    merged.dispose()
    await run.save('tuned-events', events)
    await run.save('tuned', { correctBefore: before.correct, correctAfter: after.correct, asked: test.length, answers: after.answers } satisfies TuneRecord)
  }
  const record = run.load<TuneRecord>('tuned')
  terminal.line(`   asked in words not trained on: ${record.correctBefore} of ${record.asked} right before, ${record.correctAfter} of ${record.asked} after`)
  terminal.table(['question', 'it says', 'right answer'], record.answers.slice(0, 5).map(({ question, said, answer }) => [excerpt(question, 50), excerpt(said, 34), excerpt(answer, 34)]))
  terminal.file(run.file('adapter'))
  terminal.file(run.file('model'))
  const { model } = await loadPretrained(run.file('model'), { backend })
  return { model, events: run.load<TrainEvent[]>('tuned-events'), ...record }
}

export const lmOf = (model: Model, tokenizer: Tokenizer): LanguageModel => languageModel({ model, tokenizer, chatTemplate })

const score = async (lm: LanguageModel, questions: readonly Question[], signal: AbortSignal): Promise<{ correct: number; answers: { question: string; answer: string; said: string }[] }> => {
  const answers: { question: string; answer: string; said: string }[] = []
  for (const { question, answer } of questions) {
    await nextTurn()
    signal.throwIfAborted()
    answers.push({ question, answer, said: await reply(lm, question, signal) })
  }
  lm.dispose?.()
  return { correct: answers.filter(({ answer, said }) => said.trim() === answer.trim()).length, answers }
}

const reply = async (lm: LanguageModel, question: string, signal: AbortSignal): Promise<string> => {
  try {
    for await (const event of lm.generate({ prompt: [{ role: 'user', content: question }], maxNewTokens: 24, temperature: 0 }, { signal })) if (event.kind === 'finish') return event.text
  } catch (error) {
    // A question longer than a tiny context has no answer; it counts as wrong.
    if (!isWeftError(error, 'config')) throw error
  }
  return ''
}
