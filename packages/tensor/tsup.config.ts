import { packageBuild } from '@weft/tsup-config'

export default packageBuild({ index: 'src/index.ts', ops: 'src/ops.ts', cpu: 'src/cpu.ts', testing: 'src/testing.ts' })
