// One vitest configuration for every package and app: sources through the `@weft/source` condition, so that no test needs a build.
import { fileURLToPath } from 'node:url'
import { defineConfig, defineProject } from 'vitest/config'

const conditions = ['@weft/source', 'module', 'node', 'development|production']

/** The project of one package or app: tests beside the source, package-wide ones and fixtures in test/. */
export const packageTests = (name: string, options: { testTimeoutMs?: number } = {}) =>
  defineProject({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name,
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      setupFiles: [fileURLToPath(new URL('property-seed.ts', import.meta.url))],
      testTimeout: options.testTimeoutMs ?? 30_000,
    },
  })

/** The root run over all projects. */
export const workspaceTests = (projects: string[]) => defineConfig({ test: { projects } })
