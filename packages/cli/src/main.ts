#!/usr/bin/env node
// The `weft` command. Declares the commands and nothing else: what a command needs is imported when it runs, so that help is quick.
import { createProgram } from './program.ts'

// A reader that has seen enough (`weft … | head`) is no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}

await createProgram().parseAsync()
