// Where checkpoints go. One is all there or not there at all.
import type { ByteSource, FileContent } from '@weft/sources'

export interface CheckpointStore {
  /** All files or none. */
  write(name: string, files: Readonly<Record<string, FileContent>>): Promise<void>
  /** Names of whole checkpoints, the oldest first. */
  list(): Promise<string[]>
  read(name: string, file: string): Promise<ByteSource>
  remove(name: string): Promise<void>
}

export const trainingStateFile = 'training-state.safetensors'

/** Names sort by step. */
export const checkpointName = (step: number): string => `step-${String(step).padStart(9, '0')}`
