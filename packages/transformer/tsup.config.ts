import { packageBuild } from '@weft/tsup-config'

export default packageBuild({ index: 'src/index.ts', node: 'src/node.ts', testing: 'src/testing.ts' })
