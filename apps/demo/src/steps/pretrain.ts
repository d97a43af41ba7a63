// Step 5: pre-training. One model on the corpus as it is, then two short branches of equal length: on the same corpus, and on the one
// with counterparts. What differs between the branches is the mitigation alone.
import type { TextDocument, Tokenizer } from '@weft/contracts'
import { packDocuments, tokenCorpus, type TrainEvent } from '@weft/trainer'
import { causal } from '@weft/trainer/objectives'
import { chatMlTemplate, compileChatTemplate } from '@weft/tokenizer'
import { createModel, type Model } from '@weft/transformer'
import { loadPretrained, saveModel } from '@weft/transformer/node'
import type { DemoContext } from '../context.ts'
import { runTraining } from '../run-training.ts'
import { formatNumber } from '../terminal.ts'
import { endToken } from './tokenize.ts'
import type { Audited } from './audit.ts'
import type { Cleaned } from './clean.ts'

export interface Pretrained {
  /** After the branch without mitigation. */
  readonly plain: Model
  /** After the branch with mitigation; goes on to be tuned. */
  readonly mitigated: Model
  readonly events: readonly TrainEvent[]
}

export const chatTemplate = compileChatTemplate(chatMlTemplate)

export const pretrain = async (context: DemoContext, cleaned: Cleaned, audited: Audited, tokenizer: Tokenizer): Promise<Pretrained> => {
  const { terminal, size } = context
  terminal.heading(5, 'Pre-train', 'A Llama-style decoder learns to go on with the text; then two equal branches, without and with the counterparts, show what mitigation does.')
  const { learningRate } = rates
  const base = await stage(context, tokenizer, cleaned, { label: 'base', from: undefined, documents: cleaned.training, steps: size.pretrainSteps, learningRate })
  terminal.line(`   ${formatNumber([...base.model.parameters().values()].reduce((sum, { value }) => sum + value.size, 0))} parameters on ${context.backend.name}`)
  base.model.dispose()
  const branch = { from: 'base', steps: size.branchSteps, learningRate: learningRate / 10 } // where the base's schedule ended: a higher rate would undo some of it
  const plain = await stage(context, tokenizer, cleaned, { ...branch, label: 'without-mitigation', documents: cleaned.training })
  const mitigated = await stage(context, tokenizer, cleaned, { ...branch, label: 'with-mitigation', documents: audited.mitigated })
  return { plain: plain.model, mitigated: mitigated.model, events: base.events }
}

const rates = { learningRate: 3e-3 }

interface Stage {
  readonly label: string
  /** The stage whose model this one starts from. */
  readonly from: string | undefined
  readonly documents: readonly TextDocument[]
  readonly steps: number
  readonly learningRate: number
}

const stage = async (context: DemoContext, tokenizer: Tokenizer, { heldOut }: Cleaned, { label, from, documents, steps, learningRate }: Stage): Promise<{ model: Model; events: TrainEvent[] }> => {
  const { run, backend, size, seed } = context
  if (run.has(`trained-${label}`)) return { model: (await loadPretrained(run.file('models', label), { backend })).model, events: run.load<TrainEvent[]>(`trained-${label}`) }
  const model =
    from === undefined
      ? createModel({ family: 'llama', vocabSize: tokenizer.vocabSize, ...size.model }, { backend, seed })
      : (await loadPretrained(run.file('models', from), { backend })).model
  const { contextLength } = size.model
  const corpusOf = (texts: readonly TextDocument[]) =>
    tokenCorpus(texts.map(({ text, metadata }) => ({ tokenIds: tokenizer.encode(text), weight: typeof metadata?.['weight'] === 'number' ? metadata['weight'] : 1 })), { endId: tokenizer.specialTokens.get(endToken)! })
  const events = await runTraining(context, {
    label,
    parameters: [...model.parameters().values()],
    objective: causal({ network: model }),
    batches: packDocuments({ corpus: corpusOf(documents), sequenceLength: contextLength, batchSize: size.batchSize, seed, dropRemainder: false }),
    validation: packDocuments({ corpus: corpusOf(heldOut.slice(0, 12)), sequenceLength: contextLength, batchSize: size.batchSize, seed, shuffle: false, epochs: 1 }),
    steps,
    learningRate,
  })
  await saveModel(run.file('models', label), { model, tokenizer, chatTemplate })
  await run.save(`trained-${label}`, events)
  return { model, events }
}
