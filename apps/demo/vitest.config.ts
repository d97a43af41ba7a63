import { packageTests } from '@weft/vitest-config'

export default packageTests('demo', { testTimeoutMs: 60_000 })
