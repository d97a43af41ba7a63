import { packageBuild } from '@weft/tsup-config'

export default packageBuild({ index: 'src/index.ts', bench: 'src/bench.ts' })
