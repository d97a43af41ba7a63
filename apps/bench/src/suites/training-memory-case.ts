// Peak memory of training: each side alone in a new process, the whole process counted, Node's and Python's own share included.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { weftOn } from '../backends.ts'
import { threadsText } from '../table.ts'
import { gptShapes } from '../gpt-shapes.ts'
import { startLlmC } from '../llm-c-peer.ts'
import { numberOf, type Reply } from '../line-peer.ts'
import { startPythonPeer } from '../python-peer.ts'
import type { Measurement, SuiteContext } from '../suite.ts'
import type { TrainingMemoryRequest } from '../training-memory.ts'
import { fixedBatches } from '../training-run.ts'
import { startTorchRun } from './torch-training.ts'

const steps = 3

const ownPeak = (request: TrainingMemoryRequest): number => {
  const program = join(import.meta.dirname, '..', 'training-memory.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=@weft/source', '--disable-warning=ExperimentalWarning', program, JSON.stringify(request)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the process that measures memory failed: ${stderr}`)
  return numberOf(JSON.parse(stdout) as Reply, 'bytes')
}

const torchPeak = async (shapeName: TrainingMemoryRequest['shape'], precision: 'f32' | 'bf16', { threads, note }: SuiteContext): Promise<{ name: string; bytes: number } | undefined> => {
  const peer = await startPythonPeer('torch_peer.py', 'torch', note, { threads })
  if (peer === undefined) return undefined
  try {
    const shape = { ...gptShapes[shapeName], stepsPerRun: steps }
    const { subject } = await startTorchRun(peer, { shape, precision, isCompiled: false, threads, batches: fixedBatches(shape) })
    await subject.run()
    return { name: subject.name, bytes: numberOf(await peer.ask({ kind: 'memory' }), 'bytes') }
  } finally {
    peer.close()
  }
}

const llmCPeak = async (shapeName: TrainingMemoryRequest['shape'], { threads, note }: SuiteContext): Promise<number | undefined> => {
  const shape = gptShapes[shapeName]
  const peer = await startLlmC(shape, fixedBatches(shape), { threads, weights: '-', note })
  if (peer === undefined) return undefined
  try {
    await peer.ask(`train 0 ${steps} ${shape.learningRate} 0.95`)
    return numberOf(await peer.ask('memory'), 'bytes')
  } finally {
    peer.close()
  }
}

export async function* trainingMemory(context: SuiteContext, hasNative: boolean): AsyncGenerator<Measurement> {
  const { isQuick, withPeers, threads } = context
  const shape = isQuick ? 'tiny' : 'gpt2'
  for (const precision of ['f32', 'bf16'] as const) {
    const measurement = (subject: string, id: string, bytes: number): Measurement => {
      const value = bytes / 1e6
      return { suite: 'train', case: `peak memory, ${gptShapes[shape].name}, ${precision}`, subject, id, value, unit: 'MB', runs: [value], isRate: false }
    }
    if (hasNative) yield measurement(weftOn('native', threads), 'native', ownPeak({ backend: 'native', shape, precision, threads, steps }))
    else if (isQuick && precision === 'f32') yield measurement('weft on reference', 'reference', ownPeak({ backend: 'reference', shape, precision, threads, steps }))
    if (!withPeers) continue
    const torch = await torchPeak(shape, precision, context)
    if (torch !== undefined) yield measurement(torch.name, 'torch', torch.bytes)
    const llmC = precision === 'f32' ? await llmCPeak(shape, context) : undefined
    if (llmC !== undefined) yield measurement(`llm.c, ${threadsText(threads)}`, 'llm.c', llmC)
  }
}
