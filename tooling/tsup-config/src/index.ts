// The one build of every published package: ESM, declarations, shared chunks between entries, so that a class
// reached through two entries of a package stays one class.
import { defineConfig } from 'tsup'

/** @param entries entry name → source file, for example `{ index: 'src/index.ts', node: 'src/node.ts' }`. */
export const packageBuild = (entries: Readonly<Record<string, string>>) =>
  defineConfig({
    entry: { ...entries },
    format: ['esm'],
    target: 'es2023',
    platform: 'neutral',
    external: [/^node:/],
    removeNodeProtocol: false,
    dts: true,
    sourcemap: true,
    clean: true,
    splitting: true,
  })
