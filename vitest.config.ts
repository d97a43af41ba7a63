import { workspaceTests } from '@weft/vitest-config'

export default workspaceTests(['packages/*', 'apps/*'])
