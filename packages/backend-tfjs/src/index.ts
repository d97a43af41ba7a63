export { createTfjsBackend, type TfjsBackendOptions } from './create-tfjs-backend.ts'
export type { TfBuffer } from './device.ts'
export type { TfModule } from './tf-module.ts'
