// A run's events as a report: what happened, as curves.
import type { Report, Section, SeriesPoint } from '@weft/contracts'
import type { TrainEvent } from './train.ts'

/** Loss, validation, learning rate and gradient norm over the steps, at most some 500 points each. */
export const describeTraining = (events: readonly TrainEvent[], options: { readonly title?: string } = {}): Report => {
  const steps = events.filter((event) => event.kind === 'step')
  const validations = events.filter((event) => event.kind === 'validation')
  const skipped = steps.filter(({ isSkipped }) => isSkipped).length
  const finite = steps.filter(({ isSkipped }) => !isSkipped)
  const last = finite.at(-1)
  const lastValidation = validations.at(-1)
  const facts = [
    ['steps', steps.at(-1)?.step ?? 0],
    ['final training loss (nats a token)', last?.lossNats ?? null],
    ['final validation loss (nats a token)', lastValidation?.lossNats ?? null],
    ['tokens with a loss', steps.reduce((sum, { weight }) => sum + weight, 0)],
    ['skipped steps (not finite)', skipped],
  ] as const
  const sections: Section[] = [
    { kind: 'table', title: 'Run', columns: ['what', 'value'], rows: facts },
    {
      kind: 'line',
      title: 'Loss',
      xLabel: 'step',
      yLabel: 'nats a token',
      series: [
        { name: 'training', points: thin(finite.map(({ step, lossNats }) => ({ x: step, y: lossNats }))) },
        ...(validations.length === 0 ? [] : [{ name: 'validation', points: validations.map(({ step, lossNats }) => ({ x: step, y: lossNats })) }]),
      ],
    },
    { kind: 'line', title: 'Learning rate', xLabel: 'step', yLabel: 'learning rate', series: [{ name: 'learning rate', points: thin(steps.map(({ step, learningRate }) => ({ x: step, y: learningRate }))) }] },
    { kind: 'line', title: 'Gradient norm before clipping', xLabel: 'step', yLabel: 'norm', series: [{ name: 'gradient norm', points: thin(finite.map(({ step, gradientNorm }) => ({ x: step, y: gradientNorm }))) }] },
  ]
  return { title: options.title ?? 'Training', sections }
}

/** The mean of equal stretches, so that a long run still shows its shape. */
const thin = (points: readonly { readonly x: number; readonly y: number }[], most = 500): SeriesPoint[] => {
  const stride = Math.ceil(points.length / most)
  if (stride <= 1) return [...points]
  return Array.from({ length: Math.ceil(points.length / stride) }, (_, i) => {
    const part = points.slice(i * stride, (i + 1) * stride)
    return { x: part.at(-1)!.x, y: part.reduce((sum, { y }) => sum + y, 0) / part.length }
  })
}
