// Where micro-batches come from. A position says where to go on, so that a resumed run sees the very same batches.
import type { Json } from '@weft/contracts'

export interface BatchSource<B> {
  /**
   * @param from a position that an earlier item carried: the first item is then the one after it. Absent: from the start.
   */
  open(from?: Json): AsyncIterable<BatchItem<B>> | Iterable<BatchItem<B>>
  /** The batches depend on the newest weights (sampled by the model itself): implies lockstep, nothing is prefetched. */
  readonly needsCurrentWeights?: true
}

export interface BatchItem<B> {
  /** One micro-batch. */
  readonly batch: B
  /** Open from here to go on after it. */
  readonly position: Json
}
