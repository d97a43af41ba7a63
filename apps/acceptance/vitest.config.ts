import { packageTests } from '@weft/vitest-config'

export default packageTests('acceptance', { testTimeoutMs: 120_000 })
