// Where bytes go: nothing is visible under its name before commit.

/**
 * A file being written. Whoever made the sink commits or aborts it; a function that is handed a sink only writes.
 * A failed `write` or `commit` has aborted.
 */
export interface ByteSink {
  /** Appends. The caller may reuse the buffer once the promise has resolved. */
  write(bytes: Uint8Array): Promise<void>
  /** Makes the file visible, whole. A second call does nothing. @throws ConfigError after abort. */
  commit(): Promise<void>
  /** Leaves no trace of the file; what had this name before is untouched. Does nothing after commit. */
  abort(): Promise<void>
}

/** A file's bytes, or a function that writes them (for what is too large to hold at once). */
export type FileContent = Uint8Array | ((sink: ByteSink) => Promise<void>)
